/*
 * Every call that the pretend hypervisor does not play: refused. Weak, so that
 * a test can bring its own stand-in for one of them.
 */
#include <hcall.h>
#include <rt/event.h>
#include <rt/fault.h>
#include <rt/life.h>
#include <rt/memory.h>
#include <rt/start.h>

#define WEAK __attribute__((weak))

/* Nobody asks when it came where. */
WEAK void life_stamp(enum life_stamp which)
{
    (void)which;
}

/* clang-format off */
#define REST_ONE(name, type) \
    WEAK int hcall_##name(type *arg) { (void)arg; return -XEN_ENOSYS; }
#define REST_CTL(name, type) REST_ONE(name, type)
#define REST_ARRAY(name, type) \
    WEAK int hcall_##name(type *arg, unsigned count) { (void)arg; (void)count; return -XEN_ENOSYS; }
#define REST_VCPU(name, type) \
    WEAK int hcall_##name(unsigned vcpu, type *arg) { (void)vcpu; (void)arg; return -XEN_ENOSYS; }
#define HC(name, number, sub, type, dir, shape, who) REST_##shape(name, type)
#define HC_WORD(name, number, sub, who)
#include <abi/hypercall.def>
#undef HC
#undef HC_WORD
/* clang-format on */

WEAK int hcall_version(void)
{
    return 4 << 16 | 17;
}

WEAK int hcall_timer_set(uint64_t deadline_ns)
{
    (void)deadline_ns;
    return 0;
}

WEAK int hcall_console_write(const char *text, unsigned len)
{
    (void)text;
    return (int)len;
}

WEAK int hcall_console_read(char *text, unsigned len)
{
    (void)text;
    (void)len;
    return 0;
}

WEAK int hcall_sched_yield(void)
{
    return 0;
}

WEAK int hcall_sched_block(void)
{
    return 0;
}

WEAK int irq_alloc(uint64_t *address, uint32_t *data)
{
    *address = 0;
    *data = 0;
    return -XEN_ENOSPC;
}

WEAK volatile void *memory_device(uint64_t gpa, size_t len)
{
    (void)gpa;
    (void)len;
    return NULL;
}

WEAK const void *start_module(size_t *len)
{
    *len = 0;
    return NULL;
}

WEAK int start_has_iommu(void)
{
    return 1;
}

/* ---- nothing here can be spoilt ---------------------------------------------------------- */

WEAK void *memory_used_page(uint64_t pick)
{
    (void)pick;
    return NULL;
}

WEAK void *memory_text_open(size_t *len)
{
    *len = 0;
    return NULL;
}

WEAK void memory_text_close(void) {}

WEAK bool memory_is_used_up(void)
{
    return false;
}
