/*
 * Reads the plain moves that touch emulated pages: the address is known from the
 * nested page fault, so only length, direction, size and register are wanted.
 */
#pragma once

#include <stddef.h>

#include <abi/addr.h>

#define MMIO_MAX_LENGTH 15u /* of an instruction */

enum mmio_mode { MMIO_CODE16, MMIO_CODE32, MMIO_CODE64 };

struct mmio_access {
    uint8_t length; /* of the instruction */
    uint8_t size;   /* of the access: 1, 2, 4, 8 bytes */
    uint8_t width;  /* of the register that a read goes to */
    uint8_t reg;    /* 0-15 by encoding; 16-19: AH CH DH BH */
    bool write;
    bool exchange;  /* writes, and the register gets what was read before */
    bool is_signed; /* a read that is sign-extended */
    bool immediate; /* writes `value` instead of a register */
    uint64_t value;
};

/* false: not one of the forms, or the bytes end too early. Changes *access either way. */
bool mmio_decode(const uint8_t *bytes, size_t len, enum mmio_mode mode, struct mmio_access *access);

/* The bits of an access. */
static inline uint64_t mmio_mask(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (1ull << (8 * size)) - 1;
}

struct vcpu;

/* What is behind an emulated address; size 1, 2, 4 or 8. Both always succeed. */
struct mmio_ops {
    uint64_t (*read)(struct vcpu *v, gpa_t at, unsigned size);
    void (*write)(struct vcpu *v, gpa_t at, unsigned size, uint64_t value);
};

/* Performs the instruction at RIP on them and moves past it; a form we do not know ends the domain.
 */
void mmio_emulate(struct vcpu *v, gpa_t at, bool write, const struct mmio_ops *ops);
