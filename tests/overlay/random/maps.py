"""Maps files into memory, as it is told line by line; what came of each is one line.

hold MAP PATH                     MAP is a shared mapping of the whole file from now on, to read
read MAP AT LENGTH                what it shows there
drop MAP
write PATH AT LENGTH BYTE SYNC    through a shared mapping of the moment
private PATH AT LENGTH BYTE       through a private one: what it shows then, and the file

Nothing past the end of a file is touched, which is a signal.
"""

import errno
import mmap
import os
import stat
import sys
import zlib

held = {}


def part(size, at, length):
    return min(at, size), min(at + length, size)


def told(data):
    return f"{len(data)} {zlib.crc32(data):x}"


def opened(path, flags, act):
    file = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            return "no file"
        return act(file, found.st_size) if found.st_size else "empty"
    finally:
        os.close(file)


def drop(name):
    if name in held:
        mapping, file = held.pop(name)
        mapping.close()
        os.close(file)
    return ""


def hold(name, path):
    drop(name)

    def keep(file, size):
        mapping = mmap.mmap(file, size, mmap.MAP_SHARED, mmap.PROT_READ)
        held[name] = mapping, os.dup(file)
        return str(size)

    return opened(path, os.O_RDONLY, keep)


def read(name, at, length):
    if name not in held:
        return "none"
    mapping, file = held[name]
    start, end = part(min(len(mapping), os.fstat(file).st_size), int(at), int(length))
    return told(mapping[start:end])


def write(path, at, length, byte, sync):
    def fill(file, size):
        start, end = part(size, int(at), int(length))
        with mmap.mmap(file, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as mapping:
            mapping[start:end] = bytes([int(byte)]) * (end - start)
            if sync == "true":
                mapping.flush()
        return told(os.pread(file, size, 0))

    return opened(path, os.O_RDWR, fill)


def private(path, at, length, byte):
    def fill(file, size):
        start, end = part(size, int(at), int(length))
        with mmap.mmap(file, size, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE) as mapping:
            mapping[start:end] = bytes([int(byte)]) * (end - start)
            return f"{told(mapping[:])} {told(os.pread(file, size, 0))}"

    return opened(path, os.O_RDONLY, fill)


for line in sys.stdin:
    word, *rest = line.split()
    try:
        done = {"hold": hold, "read": read, "drop": drop, "write": write, "private": private}[word](*rest)
        print("done", done, flush=True)
    except OSError as error:
        print("failed", error.errno or errno.EIO, flush=True)
