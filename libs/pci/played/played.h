/*
 * One PCI function played on the host, for tests: its configuration space with
 * BARs that can be sized, and registers behind BAR 0 that the test plays. To be
 * included by one file of a test program.
 */
#ifndef PLAYED_H
#define PLAYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <abi/layout.h>

#include <mmio.h>
#include <rt/memory.h>

#define PLAYED_BAR_SIZE 0x8000u

static struct {
    uint8_t slot;         /* of bus 0; function 0 */
    uint64_t bar_size[6]; /* 0: none; bit 0 of `wide`: BAR 0 and 1 are one of 64 bits */
    bool wide;
    uint8_t config[4096];
    uint8_t bar[PLAYED_BAR_SIZE];                   /* plain memory unless the test plays it */
    uint32_t (*read)(uint32_t offset);              /* NULL: plain memory */
    void (*write)(uint32_t offset, uint32_t value); /* after it was stored */
    void (*before)(void);                           /* any write, which may never happen */
    uint8_t nothing[4096];
} played;

volatile void *memory_device(uint64_t gpa, size_t len)
{
    uint64_t base;

    if (gpa >= LAYOUT_ECAM_BASE && gpa < LAYOUT_ECAM_END) {
        if (gpa == LAYOUT_ECAM_BASE + ((uint64_t)played.slot << 15))
            return played.config;
        memset(played.nothing, 0xff, sizeof(played.nothing));
        return played.nothing;
    }
    base = (uint64_t)(played.config[0x12] | played.config[0x13] << 8) << 16;
    if (gpa < base || gpa + len > base + PLAYED_BAR_SIZE)
        return NULL;
    return played.bar + (gpa - base);
}

static bool played_in_bar(const volatile void *p, uint32_t *offset)
{
    const volatile uint8_t *at = p;

    *offset = (uint32_t)(at - played.bar);
    return at >= played.bar && at < played.bar + PLAYED_BAR_SIZE;
}

/* What the driver sees as registers is plain memory here. */
static void *played_plain(const volatile void *p)
{
    return (void *)(uintptr_t)p; /* NOLINT(performance-no-int-to-ptr) */
}

static uint32_t played_read(const volatile void *p, size_t len)
{
    uint32_t offset, v = 0;

    if (played.read && played_in_bar(p, &offset)) {
        v = played.read(offset & ~3u) >> 8 * (offset & 3);
        return len == 4 ? v : v & ((1u << 8 * len) - 1);
    }
    memcpy(&v, played_plain(p), len);
    return v;
}

static void played_write(volatile void *p, uint32_t v, size_t len)
{
    uint32_t offset;
    size_t at = (size_t)((volatile uint8_t *)p - played.config);

    if (played.before)
        played.before();
    memcpy(played_plain(p), &v, len);
    if (at >= 0x10 && at < 0x28 && len == 4) {
        uint32_t bar = (uint32_t)(at - 0x10) / 4;
        uint64_t size = played.bar_size[bar];

        if (played.wide && bar == 1)
            v &= (uint32_t)(~(played.bar_size[0] - 1) >> 32);
        else
            v = size ? (v & (uint32_t) ~(size - 1)) | (played.wide && bar == 0 ? 4 : 0) : 0;
        memcpy(played.config + at, &v, 4);
    }
    if (played.write && played_in_bar(p, &offset))
        played.write(offset, v);
}

uint8_t mmio_read8(const volatile void *p)
{
    return (uint8_t)played_read(p, 1);
}

uint16_t mmio_read16(const volatile void *p)
{
    return (uint16_t)played_read(p, 2);
}

uint32_t mmio_read32(const volatile void *p)
{
    return played_read(p, 4);
}

static volatile uint8_t *played_high(const volatile void *p)
{
    return (volatile uint8_t *)played_plain(p) + 4;
}

uint64_t mmio_read64(const volatile void *p)
{
    return played_read(p, 4) | (uint64_t)played_read(played_high(p), 4) << 32;
}

void mmio_write8(volatile void *p, uint8_t v)
{
    played_write(p, v, 1);
}

void mmio_write16(volatile void *p, uint16_t v)
{
    played_write(p, v, 2);
}

void mmio_write32(volatile void *p, uint32_t v)
{
    played_write(p, v, 4);
}

void mmio_write64(volatile void *p, uint64_t v)
{
    played_write(p, (uint32_t)v, 4);
    played_write(played_high(p), (uint32_t)(v >> 32), 4);
}

static inline void played_put(uint32_t at, uint32_t v, size_t len)
{
    memcpy(played.config + at, &v, len);
}

/* A function with a 64-bit BAR 0 and an MSI-X table of 4 entries at 0x3000 in it. */
static inline void played_init(uint16_t vendor, uint16_t device, uint32_t class)
{
    memset(&played, 0, sizeof(played));
    played.slot = 4;
    played.wide = true;
    played.bar_size[0] = PLAYED_BAR_SIZE;
    played_put(0x00, vendor, 2);
    played_put(0x02, device, 2);
    played_put(0x06, 1u << 4, 2);
    played_put(0x08, class << 8, 4);
    played_put(0x10, (uint32_t)LAYOUT_BAR_BASE | 4, 4);
    played_put(0x34, 0x40, 1);
    played_put(0x40, 0x11 | 0x60 << 8, 2);
    played_put(0x42, 3, 2);
    played_put(0x44, 0x3000, 4);
    played_put(0x60, 0x10, 2);
}

#endif
