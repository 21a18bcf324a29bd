"""The fault matrix of Telegram and of the store."""

from __future__ import annotations

from tests.faults.matrix import Matrix
from tests.faults.scenes import (
    LARGE,
    Row,
    beside_another,
    beside_others,
    brought_by_a_poll,
    on_its_way,
    overtaken,
    pressed,
    put_to_rest,
    resumed,
    shown_as_progress,
)
from tests.faults.starts import Start, nothing_left, work_left
from tests.faults.table import read
from tests.faults.wishes import (
    asked_about_the_name,
    asked_whether_to_rename,
    cancelled_during,
    cancelled_meanwhile,
    cancelled_while_asking,
    deleted,
    deleted_in_the_list,
    pressed_for_something,
    renamed,
    renamed_to_a_taken_name,
    replaced,
)
from trio_s3_bot.sandbox.faults import When

TABLE = """
                                         refused reset   timeout slow    cut     429     500     502     503     403     longer  shorter
getMe                             before quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   -own    -own
                                  after  quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   quits
getWebhookInfo                    before quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   -own    -own
                                  after  quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   quits
setMyCommands                     before fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    -own    -own
                                  after  fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine
getMe with work left              before waits   waits   waits   fine    waits   waits   waits   waits   waits   quits   -own    -own
                                  after  waits   waits   waits   fine    waits   waits   waits   waits   waits   quits   waits   waits
getUpdates                        before waits   waits   waits   fine    waits   waits   waits   waits   waits   waits   -own    -own
                                  after  waits   waits   waits   fine    waits   waits   waits   waits   waits   waits   waits   waits
getFile                           before again   again   again   fine    again   waits   again   again   again   again   -own    -own
                                  after  again   again   again   fine    again   waits   again   again   again   again   again   again
file                              before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                  after  again   again   again   fine    again   again   again   again   again   again   again   again
sendMessage greeting              before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
sendMessage document              before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
sendMessage saved                 before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
sendMessage name                  before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
sendMessage deletion              before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
editMessageText progress          before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    waits   waits
editMessageText last              before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    waits   waits
editMessageText pressed           before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    waits   waits
answerCallbackQuery               before spins   spins   spins   fine    spins   spins   spins   spins   spins   spins   -own    -own
                                  after  fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine
answerCallbackQuery wishes        before spins   spins   spins   fine    spins   spins   spins   spins   spins   spins   -own    -own
                                  after  fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine
HeadObject before                 before fine    fine    fine    -req    -req    fine    fine    fine    fine    again   -own    -own
                                  after  fine    fine    fine    -ans    fine    fine    fine    fine    fine    again   fine    fine
PutObject                         before again   again   again   fine    again   again   again   again   again   again   -own    -own
                                  after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
HeadObject after                  before fine    fine    fine    -req    -req    fine    fine    fine    fine    again   -own    -own
                                  after  fine    fine    fine    -ans    fine    fine    fine    fine    fine    again   again   again
ListObjectsV2                     before fine    fine    fine    -req    -req    fine    fine    fine    fine    again   -own    -own
                                  after  fine    fine    fine    fine    fine    fine    fine    fine    fine    again   fine    fine
ListMultipartUploads              before fine    fine    fine    -req    -req    fine    fine    fine    fine    again   -own    -own
                                  after  fine    fine    fine    fine    fine    fine    fine    fine    fine    again   fine    fine
CreateMultipartUpload             before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                  after  again   again   again   fine    again   again   again   again   again   again   fine    again
UploadPart                        before again   again   again   fine    again   again   again   again   again   again   -own    -own
                                  after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
ListParts                         before fine    fine    fine    -req    -req    fine    fine    fine    fine    again   -own    -own
                                  after  fine    fine    fine    fine    fine    fine    fine    fine    fine    again   fine    fine
CompleteMultipartUpload           before again   again   again   fine    again   again   again   again   again   again   -own    -own
                                  after  again   again   again   fine    again   again   again   again   again   again   fine    again
AbortMultipartUpload              before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                  after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
CompleteMultipartUpload cancelled before again   again   again   fine    again   again   again   again   again   again   -own    -own
                                  after  again   again   again   fine    again   again   again   again   again   again   fine    again
AbortMultipartUpload cancelled    before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                  after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
DeleteObject cancelled            before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                  after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
HeadObject renaming               before fine    fine    fine    -req    -req    fine    fine    fine    fine    again   -own    -own
                                  after  fine    fine    fine    -ans    fine    fine    fine    fine    fine    again   fine    fine
ListMultipartUploads renaming     before fine    fine    fine    -req    -req    fine    fine    fine    fine    again   -own    -own
                                  after  fine    fine    fine    fine    fine    fine    fine    fine    fine    again   fine    fine
CreateMultipartUpload renaming    before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                  after  again   again   again   fine    again   again   again   again   again   again   fine    again
UploadPartCopy                    before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                  after  again   again   again   fine    again   again   again   again   again   again   fine    again
CompleteMultipartUpload renaming  before again   again   again   fine    again   again   again   again   again   again   -own    -own
                                  after  again   again   again   fine    again   again   again   again   again   again   fine    again
AbortMultipartUpload renaming     before fine    fine    fine    -req    -req    fine    fine    fine    fine    fine    -own    -own
                                  after  fine    fine    fine    -ans    fine    fine    fine    fine    fine    fine    fine    -ans
PutObject renaming                before again   again   again   fine    again   again   again   again   again   again   -own    -own
                                  after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
DeleteObject renaming             before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                  after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
DeleteObject                      before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                  after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
sendMessage asking                before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
sendMessage conflict              before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
editMessageText cancelled         before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                  after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    waits   waits
PutObject replacing               before again   again   again   fine    again   again   again   again   again   again   -own    -own
                                  after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
"""  # noqa: E501
"""
Where it says that a document is tried again, others have just been saved. A store that has saved nothing for a while is
taken to be out of order instead.
"""

STARTS = {
    "getMe": Start("getMe", nothing_left),
    "getWebhookInfo": Start("getWebhookInfo", nothing_left),
    "setMyCommands": Start("setMyCommands", nothing_left),
    "getMe with work left": Start("getMe", work_left),
}

ROWS = {
    "getUpdates": Row("getUpdates", brought_by_a_poll),
    "getFile": Row("getFile", beside_others),
    "file": Row("file", on_its_way()),
    "sendMessage greeting": Row("sendMessage", on_its_way()),
    "sendMessage document": Row("sendMessage", on_its_way(1)),
    "sendMessage saved": Row("sendMessage", on_its_way(2)),
    "sendMessage name": Row("sendMessage", renamed),
    "sendMessage deletion": Row("sendMessage", deleted),
    "editMessageText progress": Row("editMessageText", shown_as_progress),
    "editMessageText last": Row("editMessageText", put_to_rest),
    "editMessageText pressed": Row("editMessageText", deleted_in_the_list),
    "answerCallbackQuery": Row("answerCallbackQuery", pressed),
    "answerCallbackQuery wishes": Row("answerCallbackQuery", pressed_for_something),
    "HeadObject before": Row("HeadObject", on_its_way()),
    "PutObject": Row("PutObject", on_its_way()),
    "HeadObject after": Row("HeadObject", on_its_way(1)),
    "ListObjectsV2": Row("ListObjectsV2", beside_another),
    "ListMultipartUploads": Row("ListMultipartUploads", on_its_way(), LARGE),
    "CreateMultipartUpload": Row("CreateMultipartUpload", on_its_way(), LARGE),
    "UploadPart": Row("UploadPart", on_its_way(), LARGE),
    "ListParts": Row("ListParts", resumed, LARGE),
    "CompleteMultipartUpload": Row("CompleteMultipartUpload", on_its_way(), LARGE),
    "AbortMultipartUpload": Row("AbortMultipartUpload", overtaken, LARGE),
    "CompleteMultipartUpload cancelled": Row("CompleteMultipartUpload", cancelled_meanwhile, LARGE),
    "AbortMultipartUpload cancelled": Row("AbortMultipartUpload", cancelled_during("UploadPart"), LARGE),
    "DeleteObject cancelled": Row("DeleteObject", cancelled_during("PutObject", When.AFTER)),
    "HeadObject renaming": Row("HeadObject", renamed),
    "ListMultipartUploads renaming": Row("ListMultipartUploads", renamed),
    "CreateMultipartUpload renaming": Row("CreateMultipartUpload", renamed),
    "UploadPartCopy": Row("UploadPartCopy", renamed),
    "CompleteMultipartUpload renaming": Row("CompleteMultipartUpload", renamed),
    "AbortMultipartUpload renaming": Row("AbortMultipartUpload", renamed_to_a_taken_name),
    "PutObject renaming": Row("PutObject", renamed, 0),
    "DeleteObject renaming": Row("DeleteObject", renamed),
    "DeleteObject": Row("DeleteObject", deleted),
    "sendMessage asking": Row("sendMessage", asked_whether_to_rename, asking=True),
    "sendMessage conflict": Row("sendMessage", asked_about_the_name, asking=True),
    "editMessageText cancelled": Row("editMessageText", cancelled_while_asking, asking=True),
    "PutObject replacing": Row("PutObject", replaced, asking=True),
}
"""The calls, roughly in the order in which a document needs them."""

TELEGRAM = Matrix("telegram", read(TABLE), STARTS, ROWS)
