#include "trap.h"

#include "console.h"
#include "start.h"

#include <stddef.h>

#define GATE_INTERRUPT 0x8e
#define ENTRY_SIZE     16

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t zero;
};

extern const uint8_t trap_entries[];
void trap_upcall(void);
void trap_ignore(void);
int trap_guard(void (*run)(void));
_Noreturn void trap_escape(void);
_Noreturn void trap_handle(const uint64_t *frame, uint64_t cr2);

static struct gate gates[256] __attribute__((aligned(16)));
static struct trap *armed;

static void set(unsigned vector, uint64_t entry)
{
    gates[vector] = (struct gate){
        .offset_low = (uint16_t)entry,
        .selector = 8,
        .type = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(entry >> 16),
        .offset_high = (uint32_t)(entry >> 32),
    };
}

static uint64_t own_entry(unsigned vector)
{
    if (vector < 32)
        return (uint64_t)(uintptr_t)trap_entries + (uint64_t)vector * ENTRY_SIZE;
    return (uint64_t)(uintptr_t)(vector == TRAP_UPCALL ? trap_upcall : trap_ignore);
}

void trap_set_gate(unsigned vector, void (*entry)(void))
{
    set(vector, entry ? (uint64_t)(uintptr_t)entry : own_entry(vector));
}

void trap_init(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) table = {sizeof(gates) - 1, (uint64_t)(uintptr_t)gates};

    for (unsigned vector = 0; vector < 256; vector++)
        trap_set_gate(vector, NULL);
    __asm__ volatile("lidt %0" : : "m"(table));
}

void trap_handle(const uint64_t *frame, uint64_t cr2)
{
    struct trap trap = {.vector = frame[0], .error = frame[1], .rip = frame[2], .cr2 = cr2};

    if (armed) {
        *armed = trap;
        trap_escape();
    }
    console_print("exception %lu error %lx rip %lx cr2 %lx\n", trap.vector, trap.error, trap.rip,
                  trap.cr2);
    start_crash();
}

bool trap_catch(void (*run)(void), struct trap *trap)
{
    bool caught;

    armed = trap;
    caught = trap_guard(run) != 0;
    armed = NULL;
    return caught;
}
