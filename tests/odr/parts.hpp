// SPDX-License-Identifier: BSL-1.0
// What the files of the program offer to main.cpp, without any type of pygc.
#pragma once

void split_makes();
void split_drops();
unsigned long long split_collects();

void single_makes();
void single_drops();
unsigned long long single_collects();

unsigned long long macros_make_and_collect();
unsigned long long python_make_and_collect();
