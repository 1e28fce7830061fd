/* DR0 to DR3: the addresses of a guest's breakpoints, which SVM and VT-x leave in place. */
#pragma once

#include <stdint.h>

static inline void debug_read(uint64_t address[4])
{
    __asm__ volatile("mov %%dr0, %0" : "=r"(address[0]));
    __asm__ volatile("mov %%dr1, %0" : "=r"(address[1]));
    __asm__ volatile("mov %%dr2, %0" : "=r"(address[2]));
    __asm__ volatile("mov %%dr3, %0" : "=r"(address[3]));
}

static inline void debug_write(const uint64_t address[4])
{
    __asm__ volatile("mov %0, %%dr0" : : "r"(address[0]));
    __asm__ volatile("mov %0, %%dr1" : : "r"(address[1]));
    __asm__ volatile("mov %0, %%dr2" : : "r"(address[2]));
    __asm__ volatile("mov %0, %%dr3" : : "r"(address[3]));
}
