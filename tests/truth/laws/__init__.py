"""Laws of SGD's equation that are known exactly, computed without the program that is tested against them."""

from mpmath import mp

# Numbers that are typed are read with this many digits; computations choose their own.
mp.dps = 45
