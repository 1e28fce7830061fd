/* Hypercalls, raw, so that a guest can also say what no typed stub would let it say. */
#ifndef GUEST_CALL_H
#define GUEST_CALL_H

#include <abi/xen.h>

#include <stdbool.h>

struct call {
    uint64_t number;
    uint64_t args[5];
};

/* Finds the hypervisor by CPUID and fetches the hypercall page; false: nobody there. */
bool call_init(void);

/* The CPUID leaf where the hypervisor's leaves start. */
uint32_t call_leaf(void);

/* The page that call_init has the hypervisor fill: 32 bytes for each number. */
extern const uint8_t call_table[];

static inline uint64_t call_address(const volatile void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* By the hypercall page. Inline, so that what a benchmark measures is the call. */
static inline long call_page(const struct call *call)
{
    long result;
    uint64_t target = call_address(call_table) + call->number * 32;
    uint64_t rdi = call->args[0];
    uint64_t rsi = call->args[1];
    uint64_t rdx = call->args[2];
    register uint64_t r10 __asm__("r10") = call->args[3];
    register uint64_t r8 __asm__("r8") = call->args[4];

    __asm__ volatile("call *%[target]"
                     : "=a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8)
                     : [target] "r"(target)
                     : "memory", "rcx", "r9", "r11", "cc");
    return result;
}

/* By VMMCALL, without the page. */
static inline long call_trap(const struct call *call)
{
    uint64_t rax = call->number;
    uint64_t rdi = call->args[0];
    uint64_t rsi = call->args[1];
    uint64_t rdx = call->args[2];
    register uint64_t r10 __asm__("r10") = call->args[3];
    register uint64_t r8 __asm__("r8") = call->args[4];

    __asm__ volatile("vmmcall"
                     : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8)
                     :
                     : "memory", "rcx", "r9", "r11", "cc");
    return (long)rax;
}

static inline long call2(uint64_t number, uint64_t op, const volatile void *argument)
{
    return call_page(&(struct call){number, {op, call_address(argument)}});
}

static inline long call3(uint64_t number, uint64_t op, uint64_t second,
                         const volatile void *argument)
{
    return call_page(&(struct call){number, {op, second, call_address(argument)}});
}

static inline long call_event(uint64_t op, void *argument)
{
    return call2(__HYPERVISOR_event_channel_op, op, argument);
}

static inline long call_memory(uint64_t op, void *argument)
{
    return call2(__HYPERVISOR_memory_op, op, argument);
}

static inline long call_grant(uint64_t op, void *argument, uint64_t count)
{
    return call_page(
        &(struct call){__HYPERVISOR_grant_table_op, {op, call_address(argument), count}});
}

static inline long call_sched(uint64_t op, void *argument)
{
    return call2(__HYPERVISOR_sched_op, op, argument);
}

static inline long call_vcpu(uint64_t op, uint64_t vcpu, void *argument)
{
    return call3(__HYPERVISOR_vcpu_op, op, vcpu, argument);
}

static inline long call_hvm(uint64_t op, void *argument)
{
    return call2(__HYPERVISOR_hvm_op, op, argument);
}

static inline long call_version(uint64_t op, void *argument)
{
    return call2(__HYPERVISOR_xen_version, op, argument);
}

#endif
