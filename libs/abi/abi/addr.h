/* Address kinds as types of their own, so that mixing them does not compile. */
#ifndef ABI_ADDR_H
#define ABI_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096u
#define PAGE_MASK  4095u

/* Guest-physical and host-physical (machine) byte addresses. */
typedef struct {
    uint64_t v;
} gpa_t;
typedef struct {
    uint64_t v;
} hpa_t;

/* The same in frames of PAGE_SIZE bytes. */
typedef struct {
    uint64_t v;
} gfn_t;
typedef struct {
    uint64_t v;
} mfn_t;

/* A linear address inside a guest: goes through the guest's own page tables. */
typedef struct {
    uint64_t v;
} gla_t;

/* A frame number that names no frame. */
#define FRAME_NONE UINT64_MAX

static inline gfn_t gpa_gfn(gpa_t a)
{
    return (gfn_t){a.v >> PAGE_SHIFT};
}

static inline gpa_t gfn_gpa(gfn_t f)
{
    return (gpa_t){f.v << PAGE_SHIFT};
}

static inline mfn_t hpa_mfn(hpa_t a)
{
    return (mfn_t){a.v >> PAGE_SHIFT};
}

static inline hpa_t mfn_hpa(mfn_t f)
{
    return (hpa_t){f.v << PAGE_SHIFT};
}

static inline bool mfn_is_none(mfn_t f)
{
    return f.v == FRAME_NONE;
}

#endif
