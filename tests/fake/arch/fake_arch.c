/* State of the pretend machine; every test must leave it as it found it. */
#include "fake_arch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/peek.h>
#include <arch/power.h>
#include <arch/table.h>
#include <arch/uart.h>

#include "iommu/iommu.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/lookup.h"
#include "mm/pool.h"
#include "mm/table.h"
#include "util/check.h"
#include "vcpu/virt.h"

#define SENT_MAX  65536u
#define TYPED_MAX 65536u

static struct cpu cpus[FAKE_CPUS];
static _Thread_local unsigned current; /* threads may be CPUs */
static char *memory;                   /* FAKE_FRAMES pages */
static struct frame table[FAKE_FIRST + FAKE_FRAMES];
static _Thread_local uint64_t peeked[2];
static struct lookup lookups[FAKE_CPUS][LOOKUP_SLOTS];

void (*fake_on_relax)(void);
void (*fake_on_kick)(unsigned id);
void (*fake_on_table)(uint64_t *slot, uint64_t old, uint64_t value);
jmp_buf *fake_on_check;
bool fake_uart_listens;
uint64_t fake_clock;
struct vcpu_mode fake_mode;

static char sent[SENT_MAX], shown[SENT_MAX], typed[TYPED_MAX];
static size_t sent_len, typed_at, typed_len;

/* ---- CPUs ---------------------------------------------------------------------------- */

struct cpu *cpu_this(void)
{
    return &cpus[current];
}

struct cpu *cpu_by_id(unsigned id)
{
    CHECK(id < FAKE_CPUS);
    return &cpus[id];
}

unsigned cpu_count(void)
{
    return FAKE_CPUS;
}

unsigned cpu_physical_bits(void)
{
    return 40;
}

void cpu_relax(void)
{
    static unsigned idle;

    if (fake_on_relax) {
        idle = 0;
        fake_on_relax();
    } else if (idle++ > 1000) {
        check_failed(__FILE__, __LINE__, "waiting for nobody");
    }
}

void cpu_kick(unsigned id)
{
    if (fake_on_kick)
        fake_on_kick(id);
}

unsigned fake_cpu_enter(unsigned id)
{
    unsigned before = current;

    current = id;
    return before;
}

uint64_t clock_now(void)
{
    return fake_clock;
}

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    if (fake_on_check)
        longjmp(*fake_on_check, 1);
    printf("# %s:%d: CHECK(%s)\n", file, line, what);
    abort();
}

_Noreturn void power_off(unsigned status)
{
    exit((int)status);
}

/* ---- memory -------------------------------------------------------------------------- */

void *fake_frame(uint64_t mfn)
{
    CHECK(mfn >= FAKE_FIRST && mfn < FAKE_FIRST + FAKE_FRAMES);
    return memory + ((mfn - FAKE_FIRST) << PAGE_SHIFT);
}

void fake_machine(void)
{
    if (!memory)
        memory = aligned_alloc(PAGE_SIZE, (size_t)FAKE_FRAMES << PAGE_SHIFT);
    memset(memory, 0x5a, (size_t)FAKE_FRAMES << PAGE_SHIFT);
    memset(table, 0, sizeof(table));
    frame_init(table, FAKE_FIRST + FAKE_FRAMES, FAKE_LOW_END);
    frame_add((mfn_t){FAKE_FIRST}, FAKE_POOL, FRAME_CORE);
    frame_add((mfn_t){FAKE_FIRST + FAKE_POOL}, FAKE_FRAMES - FAKE_POOL, FRAME_FREE);
    pool_init(&(struct pool_place){memory, FAKE_FIRST, FAKE_POOL}, 0, 0);
}

void table_write(uint64_t *slot, uint64_t value)
{
    uint64_t old = *slot;

    *slot = value;
    if (fake_on_table)
        fake_on_table(slot, old, value);
}

__attribute__((weak)) void table_flush(const void *p, size_t len)
{
    (void)p, (void)len;
}

/* No devices, unless the test brings the IOMMU. */
__attribute__((weak)) void iommu_flush(struct p2m *p2m)
{
    (void)p2m;
}

void *peek(unsigned which, mfn_t mfn)
{
    CHECK(which < 2);
    peeked[which] = mfn.v;
    return fake_frame(mfn.v);
}

void peek_end(void)
{
    peeked[0] = peeked[1] = 0;
}

/* ---- nested entries as AMD has them -------------------------------------------------- */

static uint64_t fake_leaf(mfn_t mfn, unsigned level, enum p2m_type type)
{
    bool writable = type != P2M_RAM_RO && type != P2M_GRANT_RO && type != P2M_HOLE;

    return mfn.v << PAGE_SHIFT | (writable ? 7 : 5) | (level > 0 ? 0x80 : 0);
}

static uint64_t fake_table(mfn_t mfn)
{
    return mfn.v << PAGE_SHIFT | 7;
}

static const struct virt_ops fake_virt = {
    .name = "fake", .nested_leaf = fake_leaf, .nested_table = fake_table};
const struct virt_ops *virt = &fake_virt;

void vcpu_mode(const struct vcpu *v, struct vcpu_mode *mode)
{
    (void)v;
    *mode = fake_mode;
}

/* ---- serial port --------------------------------------------------------------------- */

void uart_write(const char *text, size_t len)
{
    if (len > SENT_MAX - 1 - sent_len)
        len = SENT_MAX - 1 - sent_len;
    memcpy(sent + sent_len, text, len);
    sent_len += len;
}

const char *fake_uart_sent(void)
{
    memcpy(shown, sent, sent_len);
    shown[sent_len] = '\0';
    sent_len = 0;
    return shown;
}

void fake_uart_type(const char *text)
{
    size_t len = strlen(text);

    typed_len -= typed_at;
    memmove(typed, typed + typed_at, typed_len);
    typed_at = 0;
    CHECK(len <= TYPED_MAX - typed_len);
    memcpy(typed + typed_len, text, len);
    typed_len += len;
}

size_t uart_read(uint8_t *buf, size_t len)
{
    size_t n = typed_len - typed_at < len ? typed_len - typed_at : len;

    memcpy(buf, typed + typed_at, n);
    typed_at += n;
    return n;
}

void uart_listen(bool on)
{
    fake_uart_listens = on;
}

static void __attribute__((constructor)) cpus_reset(void)
{
    for (unsigned i = 0; i < FAKE_CPUS; i++)
        cpus[i] = (struct cpu){.self = &cpus[i], .id = i, .lookups = lookups[i]};
    memset(lookups, 0, sizeof(lookups));
}

/* ---- balance ------------------------------------------------------------------------- */

void check_balance(void)
{
    for (unsigned i = 0; i < FAKE_CPUS; i++) {
        EXPECT(cpus[i].locks_held == 0);
        EXPECT(!cpus[i].reading[0] && !cpus[i].reading[1]);
    }
    cpus_reset();
    EXPECT(!peeked[0] && !peeked[1]);
    EXPECT(current == 0);
    peeked[0] = peeked[1] = 0;
    current = 0;
    fake_on_relax = NULL;
    fake_on_kick = NULL;
    fake_on_table = NULL;
    fake_on_check = NULL;
}
