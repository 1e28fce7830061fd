/* Moves on emulated pages: what is read lands in the right part of the right register. */
#include "vcpu/mmio.h"

#include <string.h>

#include "check.h"
#include "domain/domain.h"
#include "mm/copy.h"
#include "vcpu/vcpu.h"
#include "vcpu/virt.h"

/* ---- the rest of the core ---- */

static uint8_t code[MMIO_MAX_LENGTH];
static unsigned crashes;

size_t copy_instruction(struct vcpu *v, void *dst, gla_t rip, size_t len)
{
    EXPECT(rip.v == v->regs.rip && len == sizeof(code));
    memcpy(dst, code, len);
    return len;
}

void vcpu_mode(const struct vcpu *v, struct vcpu_mode *mode)
{
    (void)v;
    *mode = (struct vcpu_mode){.cs_long = true};
}

void domain_crash(struct domain *d, const char *format, ...)
{
    (void)d, (void)format;
    crashes++;
}

static void advance(struct vcpu *v, unsigned length)
{
    v->regs.rip += length;
}

static const struct virt_ops ops = {.advance = advance};
const struct virt_ops *virt = &ops;

static uint64_t device, written;
static unsigned written_size;

static uint64_t device_read(struct vcpu *v, gpa_t at, unsigned size)
{
    (void)v, (void)at, (void)size;
    return device;
}

static void device_write(struct vcpu *v, gpa_t at, unsigned size, uint64_t value)
{
    (void)v, (void)at;
    written = value;
    written_size = size;
}

static const struct mmio_ops device_ops = {device_read, device_write};
static struct vcpu v;

static void run(const char *bytes, size_t len, bool write)
{
    memset(code, 0xcc, sizeof(code));
    memcpy(code, bytes, len);
    v.regs.rip = 0x1000;
    crashes = 0;
    mmio_emulate(&v, (gpa_t){0xfee00020}, write, &device_ops);
    if (crashes == 0)
        EXPECT(v.regs.rip == 0x1000 + len);
}

TEST(reads_fill_registers_as_the_cpu_does)
{
    v.regs.rax = UINT64_MAX;
    device = 0x80;
    run("\x8b\x07", 2, false); /* 32 bits clear the upper half */
    EXPECT(v.regs.rax == 0x80);
    v.regs.rax = UINT64_MAX;
    run("\x66\x8b\x07", 3, false);
    EXPECT(v.regs.rax == 0xffffffffffff0080);
    v.regs.rax = 0x1122334455667788;
    run("\x8a\x27", 2, false); /* AH */
    EXPECT(v.regs.rax == 0x1122334455668088);
    run("\x0f\xb6\x07", 3, false);
    EXPECT(v.regs.rax == 0x80);
    run("\x0f\xbe\x07", 3, false); /* sign-extended to 32 bits */
    EXPECT(v.regs.rax == 0xffffff80);
    run("\x48\x0f\xbe\x07", 4, false);
    EXPECT(v.regs.rax == 0xffffffffffffff80);
    run("\x4d\x8b\x3f", 3, false);
    EXPECT(v.regs.r15 == 0x80);
}

TEST(writes_take_the_right_bytes)
{
    v.regs.rbx = 0x1122334455667788;
    run("\x88\x3f", 2, true); /* BH */
    EXPECT(written == 0x77 && written_size == 1);
    run("\x89\x1f", 2, true);
    EXPECT(written == 0x55667788 && written_size == 4);
    run("\x48\xc7\x07\xfe\xff\xff\xff", 7, true);
    EXPECT(written == (uint64_t)-2 && written_size == 8);
}

TEST(an_exchange_does_both)
{
    v.regs.rcx = 5;
    device = 9;
    run("\x87\x0f", 2, true);
    EXPECT(written == 5 && v.regs.rcx == 9);
}

TEST(what_does_not_fit_ends_the_domain)
{
    run("\x01\x07", 2, true);
    EXPECT(crashes == 1 && v.regs.rip == 0x1000);
    run("\x8b\x07", 2, true); /* the fault was a write: not the instruction that is there now */
    EXPECT(crashes == 1);
    memset(code, 0xcc, sizeof(code));
    memcpy(code, (const uint8_t[]){0x48, 0x8b, 0x07}, 3);
    crashes = 0;
    mmio_emulate(&v, (gpa_t){0xfee00ffc}, false, &device_ops); /* into the next page */
    EXPECT(crashes == 1);
}
