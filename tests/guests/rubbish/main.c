/*
 * Hypercalls with rubbish: every number, every sub-operation, arguments made
 * from a fixed seed. Whatever the answers, the guest gets one to each, and the
 * host goes on. It ends by a triple fault, which costs the guest and no one else.
 */
#include "call.h"
#include "console.h"
#include "start.h"

#include <abi/hypercall.h>

#define ROUNDS 20000u

/* Results may run past what an address points to: two pages more than are ever named. */
#define ARENA (8u * 4096)
static uint8_t arena[ARENA + 2 * 4096] __attribute__((aligned(4096)));
static uint64_t state = 0x9e3779b97f4a7c15ull;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Small numbers, addresses of ours and of nobody, and noise. */
static uint64_t word(void)
{
    switch (draw() % 6) {
    case 0: return draw() % 8;
    case 1: return draw() % 70000;
    case 2: return call_address(arena) + draw() % ARENA;
    case 3: return call_address(arena) + ARENA - draw() % 16;
    case 4: return 0 - draw() % 4096;
    default: return draw();
    }
}

static void fill(void)
{
    for (unsigned i = 0; i < ARENA / 64; i++) {
        uint64_t w = word();

        for (unsigned b = 0; b < 8; b++)
            arena[(draw() % (ARENA - 8)) + b] = (uint8_t)(w >> (8 * b));
    }
}

/* Those that end or stop the guest by their meaning. */
static bool is_final(const struct call *call)
{
    uint64_t op = call->args[0] & UINT32_MAX;

    return (call->number == __HYPERVISOR_sched_op &&
            (op == SCHEDOP_shutdown || op == SCHEDOP_block || op == SCHEDOP_poll)) ||
           (call->number == __HYPERVISOR_vcpu_op && op == VCPUOP_down) ||
           (call->number == HYPERVISOR_BULKHEAD && op == BULKHEAD_event_wait) ||
           /* These write to a page of the guest's choice: its page tables, say. */
           (call->number == __HYPERVISOR_vcpu_op && op == VCPUOP_register_vcpu_info) ||
           (call->number == __HYPERVISOR_grant_table_op && op == GNTTABOP_copy) ||
           call->number == __HYPERVISOR_console_io ||
           /* Takes the pages that this program lies in. */
           (call->number == __HYPERVISOR_memory_op);
}

void guest_run(void)
{
    unsigned refused = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct call call = {.number = draw() % 64};

        if (i % 64 == 0)
            fill();
        for (unsigned a = 0; a < 5; a++)
            call.args[a] = word();
        if (draw() % 2)
            call.args[0] = draw() % 32;
        if (is_final(&call))
            continue;
        /* A longer array would have statuses written over this guest's own page tables. */
        if (call.number == __HYPERVISOR_grant_table_op)
            call.args[2] %= 64;
        if (call_trap(&call) < 0)
            refused++;
    }
    console_print("rubbish: %u calls, %s refused\n", ROUNDS, refused > ROUNDS / 2 ? "most" : "few");
    /* No interrupt table, then an exception. */
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) none = {0, 0};

    __asm__ volatile("lidt %0; ud2" : : "m"(none));
}
