/* Carries out a plain move on an emulated page. */
#include "vcpu/mmio.h"

#include "domain/domain.h"
#include "mm/copy.h"
#include "vcpu/virt.h"

#define HIGH_BYTES 16u /* AH and its kin, as the decoder numbers them */

/* General registers in the order of their encoding. */
static uint64_t *register_of(struct regs *r, unsigned number)
{
    uint64_t *const order[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
                                 &r->rsi, &r->rdi, &r->r8,  &r->r9,  &r->r10, &r->r11,
                                 &r->r12, &r->r13, &r->r14, &r->r15};

    return order[number & 15];
}

static uint64_t register_read(struct regs *r, const struct mmio_access *a)
{
    if (a->reg >= HIGH_BYTES)
        return *register_of(r, a->reg - HIGH_BYTES) >> 8 & 0xff;
    return *register_of(r, a->reg) & mmio_mask(a->size);
}

/* Four bytes clear the upper half of a register, fewer leave the rest alone. */
static void register_write(struct regs *r, const struct mmio_access *a, uint64_t value)
{
    uint64_t sign = 1ull << (8 * a->size - 1);
    uint64_t mask = mmio_mask(a->width);
    uint64_t *reg;

    value &= mmio_mask(a->size);
    if (a->is_signed && (value & sign))
        value |= ~mmio_mask(a->size);
    if (a->reg >= HIGH_BYTES) {
        reg = register_of(r, a->reg - HIGH_BYTES);
        *reg = (*reg & ~0xff00ull) | value << 8;
        return;
    }
    reg = register_of(r, a->reg);
    *reg = a->width == 4 ? value & mask : (*reg & ~mask) | (value & mask);
}

void mmio_emulate(struct vcpu *v, gpa_t at, bool write, const struct mmio_ops *ops)
{
    uint8_t bytes[MMIO_MAX_LENGTH] = {0};
    struct mmio_access a;
    struct vcpu_mode mode;
    uint64_t old = 0;

    vcpu_mode(v, &mode);
    enum mmio_mode code = mode.cs_long ? MMIO_CODE64 : mode.cs_big ? MMIO_CODE32 : MMIO_CODE16;
    size_t len = copy_instruction(v, bytes, (gla_t){mode.cs_base + v->regs.rip}, sizeof(bytes));
    /* The guest may have changed the instruction since: what was decoded is what is done. */
    if (!mmio_decode(bytes, len, code, &a) || (write && !a.write) ||
        (at.v & PAGE_MASK) + a.size > PAGE_SIZE) {
        domain_crash(v->domain,
                     "access to %lx by an instruction that is not emulated: "
                     "%02x %02x %02x %02x %02x %02x %02x %02x",
                     at.v, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6],
                     bytes[7]);
        return;
    }
    if (!a.write || a.exchange)
        old = ops->read(v, at, a.size);
    if (a.write)
        ops->write(v, at, a.size, a.immediate ? a.value : register_read(&v->regs, &a));
    if (!a.write || a.exchange)
        register_write(&v->regs, &a, old);
    virt->advance(v, a.length);
}
