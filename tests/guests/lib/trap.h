/* Exceptions: one that was asked for is caught and told, any other ends the guest with a line. */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#define TRAP_DEBUG      1u
#define TRAP_UNDEFINED  6u
#define TRAP_PROTECTION 13u
#define TRAP_PAGE       14u

/* The vector on which the hypervisor tells of events. */
#define TRAP_UPCALL 0x30u

struct trap {
    uint64_t vector;
    uint64_t error;
    uint64_t rip;
    uint64_t cr2;
};

void trap_init(void);

/* Runs a function; true if an exception ended it, which is told in *trap. */
bool trap_catch(void (*run)(void), struct trap *trap);

/* Puts a routine of the guest's own behind a vector; NULL restores the kit's. */
void trap_set_gate(unsigned vector, void (*entry)(void));

#endif
