/*
 * Device registers and configuration space, one plain mov each: where such an
 * access is trapped, that is the form which can be decoded.
 */
#ifndef MMIO_H
#define MMIO_H

#include <stdint.h>

static inline uint8_t mmio_read8(const volatile void *p)
{
    uint8_t v;

    __asm__ volatile("movb (%1), %0" : "=q"(v) : "r"(p) : "memory");
    return v;
}

static inline uint16_t mmio_read16(const volatile void *p)
{
    uint16_t v;

    __asm__ volatile("movw (%1), %0" : "=r"(v) : "r"(p) : "memory");
    return v;
}

static inline uint32_t mmio_read32(const volatile void *p)
{
    uint32_t v;

    __asm__ volatile("movl (%1), %0" : "=r"(v) : "r"(p) : "memory");
    return v;
}

static inline uint64_t mmio_read64(const volatile void *p)
{
    uint64_t v;

    __asm__ volatile("movq (%1), %0" : "=r"(v) : "r"(p) : "memory");
    return v;
}

static inline void mmio_write8(volatile void *p, uint8_t v)
{
    __asm__ volatile("movb %1, (%0)" : : "r"(p), "q"(v) : "memory");
}

static inline void mmio_write16(volatile void *p, uint16_t v)
{
    __asm__ volatile("movw %1, (%0)" : : "r"(p), "r"(v) : "memory");
}

static inline void mmio_write32(volatile void *p, uint32_t v)
{
    __asm__ volatile("movl %1, (%0)" : : "r"(p), "r"(v) : "memory");
}

static inline void mmio_write64(volatile void *p, uint64_t v)
{
    __asm__ volatile("movq %1, (%0)" : : "r"(p), "r"(v) : "memory");
}

#endif
