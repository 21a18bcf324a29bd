"""
Any dialogue at all: whatever people send, press and type, in any order, what they have been told is true.

    python -m pytest tests/dialogue                                         # some rounds of 50 dialogues
    python -m pytest tests/dialogue --dialogue-rounds 500 --dialogue-seed 1000  # more; seeds count up from there

`steps` are what people do and what befalls the bot; `stage` is where they do it: the whole bot on a clock of its own,
with a messenger and a store that write down what happens (`history`). `shown` is what the chats show of that,
`licences` what people have allowed, `verdict` what must be true. A failing dialogue is made as short as it can be, and
printed as steps and as what was said.
"""
