PRAGMA application_id=1953706850;
PRAGMA user_version=5;
BEGIN TRANSACTION;
CREATE TABLE accounts (messenger TEXT PRIMARY KEY, id INTEGER NOT NULL) STRICT;
INSERT INTO "accounts" VALUES('telegram',1);
CREATE TABLE chats (
        key TEXT PRIMARY KEY, chat TEXT NOT NULL, state TEXT NOT NULL, unreachable INTEGER NOT NULL DEFAULT 0
    ) STRICT;
INSERT INTO "chats" VALUES('telegram:4','{"messenger":"telegram","id":4,"thread":null,"group":false}','{"greeted":true,"refused":false,"language":"en","questions":[],"searches":[]}',0);
INSERT INTO "chats" VALUES('telegram:5','{"messenger":"telegram","id":5,"thread":null,"group":false}','{"greeted":true,"refused":false,"language":"en","questions":[],"searches":[]}',0);
INSERT INTO "chats" VALUES('telegram:3','{"messenger":"telegram","id":3,"thread":null,"group":false}','{"greeted":true,"refused":false,"language":"en","questions":[],"searches":[]}',0);
INSERT INTO "chats" VALUES('telegram:2','{"messenger":"telegram","id":2,"thread":null,"group":false}','{"greeted":true,"refused":false,"language":"en","questions":[],"searches":[]}',0);
CREATE TABLE chores (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT NOT NULL UNIQUE, chat TEXT NOT NULL, kind TEXT NOT NULL,
        name TEXT, creating TEXT, edit_of INTEGER, delay_told INTEGER NOT NULL DEFAULT 0
    , page INTEGER, query TEXT) STRICT;
INSERT INTO "chores" VALUES(1,'old','telegram:4','rename','new',NULL,NULL,0,NULL,NULL);
INSERT INTO "chores" VALUES(2,'unwanted','telegram:4','delete',NULL,NULL,3,0,1,'rep');
CREATE TABLE cursors (messenger TEXT PRIMARY KEY, cursor TEXT NOT NULL) STRICT;
INSERT INTO "cursors" VALUES('telegram','105');
CREATE TABLE files (
        id TEXT PRIMARY KEY, chat TEXT NOT NULL, owner INTEGER, name TEXT NOT NULL, prefix TEXT NOT NULL,
        key TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, unique_id TEXT NOT NULL, saved_at REAL NOT NULL,
        gone INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
INSERT INTO "files" VALUES('kept','telegram:4',NULL,'kept','','kept',1048576,'"etag"','kept',0.0,0);
INSERT INTO "files" VALUES('old','telegram:4',NULL,'old','','old',1048576,'"etag"','old',0.0,0);
INSERT INTO "files" VALUES('unwanted','telegram:4',NULL,'unwanted','','unwanted',1048576,'"etag"','unwanted',0.0,0);
CREATE TABLE mentions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, message_id INTEGER NOT NULL, item TEXT NOT NULL
    , asks TEXT) STRICT;
INSERT INTO "mentions" VALUES(1,'telegram:4',1,'kept',NULL);
INSERT INTO "mentions" VALUES(2,'telegram:4',1,'old',NULL);
INSERT INTO "mentions" VALUES(3,'telegram:4',1,'unwanted',NULL);
INSERT INTO "mentions" VALUES(4,'telegram:5',1,'running',NULL);
INSERT INTO "mentions" VALUES(5,'telegram:3',1,'waiting',NULL);
INSERT INTO "mentions" VALUES(6,'telegram:3',1,'asking',NULL);
INSERT INTO "mentions" VALUES(7,'telegram:5',70,'running',NULL);
CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, body TEXT NOT NULL, about TEXT NOT NULL,
        edit_of INTEGER, remote_id INTEGER, progress_shown INTEGER NOT NULL DEFAULT 0,
        edit_due INTEGER NOT NULL DEFAULT 0, joinable INTEGER NOT NULL DEFAULT 0
    , asks TEXT) STRICT;
INSERT INTO "messages" VALUES(1,'telegram:5','{"text":"[document] running","keyboard":[[{"label":"Cancel","data":"stop:running"}]],"reply_to":1,"random_id":990914550,"ask":null,"edit_only":false}','["running"]',NULL,70,1,0,0,NULL);
INSERT INTO "messages" VALUES(2,'telegram:5','{"text":"composed before the end","keyboard":[],"reply_to":2,"random_id":990914551,"ask":null,"edit_only":false}','[]',NULL,NULL,0,0,0,NULL);
CREATE TABLE notices (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, kind TEXT NOT NULL, upload TEXT, album TEXT,
        edit_of INTEGER, body TEXT NOT NULL
    ) STRICT;
INSERT INTO "notices" VALUES(1,'telegram:4','Accepted','kept',NULL,NULL,'{"type":"Accepted","upload":"kept","name":"kept","asked_name":null,"album":null,"asking":false,"reply_to":null}');
INSERT INTO "notices" VALUES(2,'telegram:4','Saved','kept',NULL,NULL,'{"type":"Saved","upload":"kept","key":"kept","name":"kept","size":1048576,"asked_name":null,"name_was_taken":false,"same_as":null,"album":null,"reply_to":null}');
INSERT INTO "notices" VALUES(3,'telegram:4','Accepted','old',NULL,NULL,'{"type":"Accepted","upload":"old","name":"old","asked_name":null,"album":null,"asking":false,"reply_to":null}');
INSERT INTO "notices" VALUES(4,'telegram:4','Saved','old',NULL,NULL,'{"type":"Saved","upload":"old","key":"old","name":"old","size":1048576,"asked_name":null,"name_was_taken":false,"same_as":null,"album":null,"reply_to":null}');
INSERT INTO "notices" VALUES(5,'telegram:4','Accepted','unwanted',NULL,NULL,'{"type":"Accepted","upload":"unwanted","name":"unwanted","asked_name":null,"album":null,"asking":false,"reply_to":null}');
INSERT INTO "notices" VALUES(6,'telegram:4','Saved','unwanted',NULL,NULL,'{"type":"Saved","upload":"unwanted","key":"unwanted","name":"unwanted","size":1048576,"asked_name":null,"name_was_taken":false,"same_as":null,"album":null,"reply_to":null}');
INSERT INTO "notices" VALUES(8,'telegram:3','Accepted','waiting',NULL,NULL,'{"type":"Accepted","upload":"waiting","name":"waiting","asked_name":null,"album":null,"asking":false,"reply_to":null}');
INSERT INTO "notices" VALUES(10,'telegram:2','Greeting',NULL,NULL,NULL,'{"type":"Greeting","help":false,"renames":true,"reply_to":null}');
INSERT INTO "notices" VALUES(11,'telegram:2','DocumentRequired',NULL,NULL,NULL,'{"type":"DocumentRequired","reply_to":1}');
INSERT INTO "notices" VALUES(12,'telegram:2','NotAllowed',NULL,NULL,NULL,'{"type":"NotAllowed","user_id":7,"reply_to":null}');
INSERT INTO "notices" VALUES(13,'telegram:2','GivenUp',NULL,NULL,NULL,'{"type":"GivenUp","in_part":false,"reply_to":1}');
INSERT INTO "notices" VALUES(14,'telegram:2','Accepted','gone','album',NULL,'{"type":"Accepted","upload":"gone","name":"report.pdf","asked_name":"re/port.pdf","album":"album","asking":true,"reply_to":null}');
INSERT INTO "notices" VALUES(15,'telegram:2','Saved','gone',NULL,NULL,'{"type":"Saved","upload":"gone","key":"report (1).pdf","name":"report.pdf","size":1,"asked_name":null,"name_was_taken":true,"same_as":"file","album":null,"reply_to":null}');
INSERT INTO "notices" VALUES(16,'telegram:2','Failed','gone',NULL,NULL,'{"type":"Failed","upload":"gone","name":"report.pdf","reason":"too_big_for_operator","limit":1,"reply_to":null}');
INSERT INTO "notices" VALUES(17,'telegram:2','Delayed','gone',NULL,NULL,'{"type":"Delayed","upload":"gone","name":"report.pdf","reply_to":null}');
INSERT INTO "notices" VALUES(18,'telegram:2','Help',NULL,NULL,NULL,'{"type":"Help","renames":false,"reply_to":null}');
INSERT INTO "notices" VALUES(19,'telegram:2','OverLimit',NULL,NULL,NULL,'{"type":"OverLimit","name":"report.pdf","opens_at":60.0,"now":0.0,"limit":1,"reply_to":null}');
INSERT INTO "notices" VALUES(20,'telegram:2','AskName','gone',NULL,NULL,'{"type":"AskName","upload":"gone","name":"report.pdf","problem":"taken","reply_to":null}');
INSERT INTO "notices" VALUES(21,'telegram:2','NameSet','gone',NULL,NULL,'{"type":"NameSet","upload":"gone","name":"report.pdf","saved":false,"reply_to":null}');
INSERT INTO "notices" VALUES(22,'telegram:2','Conflict','gone',NULL,NULL,'{"type":"Conflict","upload":"gone","name":"report.pdf","answered":false,"reply_to":null}');
INSERT INTO "notices" VALUES(23,'telegram:2','Renamed','gone',NULL,NULL,'{"type":"Renamed","upload":"gone","old":"report.pdf","new":"final.pdf","reply_to":null}');
INSERT INTO "notices" VALUES(24,'telegram:2','ConfirmDelete','gone',NULL,NULL,'{"type":"ConfirmDelete","upload":"gone","name":"report.pdf","place":{"page":1,"query":"rep"},"answered":false,"reply_to":null}');
INSERT INTO "notices" VALUES(25,'telegram:2','Deleted','gone',NULL,NULL,'{"type":"Deleted","upload":"gone","name":"report.pdf","was_gone":true,"place":{"page":1,"query":"rep"},"reply_to":null}');
INSERT INTO "notices" VALUES(26,'telegram:2','StillThere',NULL,NULL,NULL,'{"type":"StillThere","name":"report.pdf","reply_to":null}');
INSERT INTO "notices" VALUES(27,'telegram:2','NoSuchFile',NULL,NULL,NULL,'{"type":"NoSuchFile","name":"report.pdf","reply_to":null}');
INSERT INTO "notices" VALUES(28,'telegram:2','NotYours',NULL,NULL,NULL,'{"type":"NotYours","reply_to":null}');
INSERT INTO "notices" VALUES(29,'telegram:2','Busy',NULL,NULL,NULL,'{"type":"Busy","name":"report.pdf","reply_to":null}');
INSERT INTO "notices" VALUES(30,'telegram:2','NotSavedYet',NULL,NULL,NULL,'{"type":"NotSavedYet","name":"report.pdf","reply_to":null}');
INSERT INTO "notices" VALUES(31,'telegram:2','ChoreDelayed','gone',NULL,NULL,'{"type":"ChoreDelayed","upload":"gone","name":"report.pdf","reply_to":null}');
INSERT INTO "notices" VALUES(32,'telegram:2','ChoreFailed','gone',NULL,NULL,'{"type":"ChoreFailed","upload":"gone","name":"report.pdf","new":"final.pdf","place":null,"reply_to":null}');
INSERT INTO "notices" VALUES(33,'telegram:2','Stopped',NULL,NULL,NULL,'{"type":"Stopped","name":"report.pdf","reply_to":null}');
INSERT INTO "notices" VALUES(34,'telegram:2','WhichQuestion',NULL,NULL,NULL,'{"type":"WhichQuestion","reply_to":null}');
INSERT INTO "notices" VALUES(35,'telegram:2','QuestionSettled',NULL,NULL,NULL,'{"type":"QuestionSettled","reply_to":null}');
INSERT INTO "notices" VALUES(36,'telegram:2','NothingToCancel',NULL,NULL,NULL,'{"type":"NothingToCancel","reply_to":null}');
INSERT INTO "notices" VALUES(37,'telegram:2','FileList',NULL,NULL,NULL,'{"type":"FileList","page":0,"query":"rep","reply_to":null}');
INSERT INTO "notices" VALUES(38,'telegram:2','StatusList',NULL,NULL,NULL,'{"type":"StatusList","page":0,"which":false,"reply_to":null}');
INSERT INTO "notices" VALUES(39,'telegram:2','Card','gone',NULL,NULL,'{"type":"Card","upload":"gone","place":{"page":0,"query":""},"reply_to":null}');
INSERT INTO "notices" VALUES(40,'telegram:2','Link','gone',NULL,NULL,'{"type":"Link","upload":"gone","name":"report.pdf","url":"https://example.org/","lifetime":3600,"reply_to":null}');
CREATE TABLE parts (
        upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE, number INTEGER NOT NULL,
        size INTEGER NOT NULL, etag TEXT NOT NULL, crc32 INTEGER, PRIMARY KEY (upload, number)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "parts" VALUES('running',1,8388608,'"etag"',5);
CREATE TABLE place (bucket TEXT NOT NULL) STRICT;
INSERT INTO "place" VALUES('files');
CREATE TABLE probes (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO "probes" VALUES('probe');
CREATE TABLE questions (item TEXT PRIMARY KEY, chat TEXT NOT NULL, ask TEXT NOT NULL, until REAL NOT NULL) STRICT;
INSERT INTO "questions" VALUES('kept','telegram:4','new_name',60.0);
INSERT INTO "questions" VALUES('asking','telegram:3','keep_name',60.0);
CREATE TABLE random_ids (base INTEGER NOT NULL) STRICT;
INSERT INTO "random_ids" VALUES(990914548);
CREATE TABLE updates (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, messenger TEXT NOT NULL, update_id TEXT NOT NULL, chat TEXT,
        body TEXT, failures INTEGER NOT NULL DEFAULT 0, error TEXT, UNIQUE (messenger, update_id)
    ) STRICT;
INSERT INTO "updates" VALUES(1,'telegram','1','telegram:4',NULL,0,NULL);
INSERT INTO "updates" VALUES(2,'telegram','2','telegram:4',NULL,0,NULL);
INSERT INTO "updates" VALUES(3,'telegram','3','telegram:4',NULL,0,NULL);
INSERT INTO "updates" VALUES(4,'telegram','4','telegram:4',NULL,0,NULL);
INSERT INTO "updates" VALUES(5,'telegram','5','telegram:4',NULL,0,NULL);
INSERT INTO "updates" VALUES(6,'telegram','6','telegram:5',NULL,0,NULL);
INSERT INTO "updates" VALUES(7,'telegram','7','telegram:3',NULL,0,NULL);
INSERT INTO "updates" VALUES(8,'telegram','8','telegram:3',NULL,0,NULL);
INSERT INTO "updates" VALUES(9,'telegram','9','telegram:5',NULL,0,NULL);
INSERT INTO "updates" VALUES(10,'telegram','10','telegram:2',NULL,0,NULL);
INSERT INTO "updates" VALUES(11,'telegram','101','telegram:1','{"messenger":"telegram","update_id":"101","chat":{"messenger":"telegram","id":1,"thread":null,"group":false},"sender":{"id":1,"username":"alice","language":"ru"},"message_id":11,"date":1,"text":"/list","caption":null,"documents":[],"press":null,"reply_to":10,"album":null,"addressed":true,"silent":false,"moved_to":null,"meant":null,"cropped":false}',0,NULL);
INSERT INTO "updates" VALUES(12,'telegram','102','telegram:1','{"messenger":"telegram","update_id":"102","chat":{"messenger":"telegram","id":1,"thread":null,"group":false},"sender":{"id":1,"username":"alice","language":"ru"},"message_id":12,"date":2,"text":null,"caption":"a.pdf","documents":[{"file_id":"file","unique_id":"unique","file_name":"report.pdf","mime_type":"application/pdf","size":1048576}],"press":null,"reply_to":null,"album":"a","addressed":true,"silent":false,"moved_to":null,"meant":null,"cropped":false}',0,NULL);
INSERT INTO "updates" VALUES(13,'telegram','103','telegram:1','{"messenger":"telegram","update_id":"103","chat":{"messenger":"telegram","id":1,"thread":null,"group":false},"sender":{"id":1,"username":"alice","language":"ru"},"message_id":null,"date":0,"text":null,"caption":null,"documents":[],"press":{"id":"press","data":"card:gone","message_id":9},"reply_to":null,"album":null,"addressed":false,"silent":false,"moved_to":null,"meant":null,"cropped":false}',0,NULL);
INSERT INTO "updates" VALUES(14,'telegram','104','telegram:1','{"messenger":"telegram","update_id":"104","chat":{"messenger":"telegram","id":1,"thread":null,"group":false},"sender":null,"message_id":null,"date":0,"text":null,"caption":null,"documents":[],"press":null,"reply_to":null,"album":null,"addressed":false,"silent":true,"moved_to":null,"meant":null,"cropped":false}',0,NULL);
CREATE TABLE uploads (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, chat TEXT NOT NULL, owner INTEGER,
        name TEXT NOT NULL, prefix TEXT NOT NULL, policy TEXT, album TEXT, job TEXT NOT NULL, state TEXT NOT NULL,
        ask_until REAL, cancelled INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, error TEXT,
        delay_told INTEGER NOT NULL DEFAULT 0, key TEXT, creating TEXT, upload_id TEXT, part_size INTEGER,
        status_message INTEGER REFERENCES messages (id) ON DELETE SET NULL
    , replacing INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "uploads" VALUES(1,'kept','telegram:4',NULL,'kept','',NULL,NULL,'{"document":{"file_id":"kept","unique_id":"kept","file_name":"kept","mime_type":null,"size":1048576},"asked_name":null,"message_id":1,"caption_name":null}','saved',NULL,0,0,NULL,0,'kept',NULL,NULL,NULL,NULL,0);
INSERT INTO "uploads" VALUES(2,'old','telegram:4',NULL,'old','',NULL,NULL,'{"document":{"file_id":"old","unique_id":"old","file_name":"old","mime_type":null,"size":1048576},"asked_name":null,"message_id":1,"caption_name":null}','saved',NULL,0,0,NULL,0,'old',NULL,NULL,NULL,NULL,0);
INSERT INTO "uploads" VALUES(3,'unwanted','telegram:4',NULL,'unwanted','',NULL,NULL,'{"document":{"file_id":"unwanted","unique_id":"unwanted","file_name":"unwanted","mime_type":null,"size":1048576},"asked_name":null,"message_id":1,"caption_name":null}','saved',NULL,0,0,NULL,0,'unwanted',NULL,NULL,NULL,NULL,0);
INSERT INTO "uploads" VALUES(4,'running','telegram:5',NULL,'running','',NULL,NULL,'{"document":{"file_id":"running","unique_id":"running","file_name":"running","mime_type":null,"size":25165824},"asked_name":null,"message_id":1,"caption_name":null}','running',NULL,0,0,NULL,0,'running','["somebody''s"]','upload 1',8388608,1,0);
INSERT INTO "uploads" VALUES(5,'waiting','telegram:3',NULL,'waiting','',NULL,NULL,'{"document":{"file_id":"waiting","unique_id":"waiting","file_name":"waiting","mime_type":null,"size":1048576},"asked_name":null,"message_id":1,"caption_name":null}','waiting',NULL,0,0,NULL,0,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "uploads" VALUES(6,'asking','telegram:3',3,'asking','',NULL,'a','{"document":{"file_id":"asking","unique_id":"asking","file_name":"asking","mime_type":null,"size":1048576},"asked_name":"as/king","message_id":1,"caption_name":"b.pdf"}','asking',60.0,0,0,NULL,0,NULL,NULL,NULL,NULL,NULL,0);
CREATE TABLE usage (
        upload TEXT PRIMARY KEY, person TEXT NOT NULL, at REAL NOT NULL, bytes INTEGER NOT NULL
    ) STRICT;
INSERT INTO "usage" VALUES('asking','telegram:3',0.0,1048576);
CREATE INDEX questions_of_chat ON questions (chat);
CREATE INDEX updates_pending ON updates (chat, seq) WHERE body IS NOT NULL;
CREATE INDEX notices_waiting ON notices (chat, seq);
CREATE INDEX notices_of_upload ON notices (upload) WHERE upload IS NOT NULL;
CREATE INDEX messages_unsent ON messages (chat, id) WHERE remote_id IS NULL;
CREATE INDEX messages_stale ON messages (chat, id) WHERE edit_due > 0;
CREATE INDEX messages_joinable ON messages (id) WHERE joinable;
CREATE INDEX mentions_of_message ON mentions (chat, message_id);
CREATE INDEX uploads_open ON uploads (chat, seq) WHERE state IN ('asking', 'waiting', 'running');
CREATE INDEX uploads_named ON uploads (chat, name) WHERE state IN ('asking', 'waiting', 'running');
CREATE INDEX uploads_status ON uploads (status_message);
CREATE INDEX uploads_of_album ON uploads (album) WHERE album IS NOT NULL;
CREATE INDEX files_of_chat ON files (chat, saved_at);
CREATE INDEX files_by_content ON files (chat, unique_id);
CREATE INDEX files_by_key ON files (key);
CREATE INDEX usage_of_person ON usage (person, at);
CREATE INDEX mentions_that_ask ON mentions (item) WHERE asks IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('updates',14);
INSERT INTO "sqlite_sequence" VALUES('uploads',6);
INSERT INTO "sqlite_sequence" VALUES('mentions',7);
INSERT INTO "sqlite_sequence" VALUES('notices',40);
INSERT INTO "sqlite_sequence" VALUES('chores',2);
INSERT INTO "sqlite_sequence" VALUES('messages',2);
COMMIT;
