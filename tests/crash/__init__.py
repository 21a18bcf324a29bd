"""
The kill test: the real program against messengers and an S3 store that outlive it, killed with SIGKILL, started again.

    python -m pytest tests/crash                           # the chosen instants, and some random rounds
    python -m pytest tests/crash --rounds 500 --seed 1000  # more of them; the seeds count up from there
    python -m pytest tests/crash --rounds 1 --seed 1234 -k again_and_again  # a failing round once more
    python -m pytest tests/crash --messenger both          # the rounds in both at once, whatever their seeds say
    python -m pytest tests/crash --store versitygw         # all of it with a real S3 server, as some rounds are anyway

`ground` is what the program stands on, `program` the process; `holds` stop it at a chosen request; `ledger` is the
model of what must be true in the end, with a `talk` for each chat, which holds what people `wanted` against the `fates`
of their documents; `said` reads the bot's messages. `workload`, with the ways of `sending` documents and what people
want of them in `dialogue`, and `endings` are what chance decides.
"""
