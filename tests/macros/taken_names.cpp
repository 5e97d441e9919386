// SPDX-License-Identifier: BSL-1.0
// The macros of Qt, of <X11/Xlib.h> and of <windows.h>, as far as the standard library doesn't use the names itself.
#include <pygc_std_headers.hpp> // generated: what the macros break in the standard library is not pygc's to answer for

#define slots
#define signals public
#define emit
#define foreach(variable, container) for (variable : container)
#define None 0L
#define Bool int
#define Status int
#define Success 0
#define True 1
#define False 0
#define small char
#define near
#define far
#define interface struct
#define hyper long long
#define IN
#define OUT
#define ERROR 0
#define DELETE 0x00010000L
#define CONST const
#define VOID void
#define major(device) ((device) >> 8)
#define minor(device) ((device) & 255)
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))

#include <pygc/pygc.hpp>

#include "program.ipp"
