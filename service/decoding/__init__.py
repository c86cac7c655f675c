"""Reading symbols: readers, the processes they run in, and the order in which they are tried.

What a reading promises: its payload is the symbol's, byte for byte and whole. zxing-cpp and the soft-decision
reader give bytes. WeChat gives a C string, cut at the first NUL byte, so its results count only when zxing-cpp has
read the same symbol; otherwise they are left to later attempts. Text is what `payload.interpret` makes of the
bytes: it never loses any, and is None where they are binary. Symbols of a structured append sequence are separate
readings; GS1 is told by the symbology identifier, where the reader knows it, and by 0x1D between fields.
"""
