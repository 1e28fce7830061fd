/*
 * The one door to memory that somebody else may be writing. A value is read
 * exactly once, into a local; what is checked is what is used.
 *
 * In host tests a hook runs after every read and before every write, so that a
 * test can play the hostile peer (a second read of the same field sees other
 * bytes) or kill a side between two stores.
 */
#ifndef SHM_H
#define SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shm_watch.h>

/*
 * Reads are acquires and writes are releases, which on x86 are plain moves: what
 * stands behind an index is ordered by the index itself. The barriers below only
 * hold the compiler, for copies.
 */
static inline void shm_barrier_read(void)
{
    __asm__ volatile("" ::: "memory");
}

static inline void shm_barrier_write(void)
{
    __asm__ volatile("" ::: "memory");
}

/* Our stores before our loads: before a last look at the peer's index. */
static inline void shm_barrier_full(void)
{
    __sync_synchronize();
}

static inline uint8_t shm_read8(const volatile uint8_t *p)
{
    uint8_t value = __atomic_load_n(p, __ATOMIC_ACQUIRE);

    shm_watch_read((const volatile void *)p, sizeof(value));
    return value;
}

static inline uint16_t shm_read16(const volatile uint16_t *p)
{
    uint16_t value = __atomic_load_n(p, __ATOMIC_ACQUIRE);

    shm_watch_read((const volatile void *)p, sizeof(value));
    return value;
}

static inline uint32_t shm_read32(const volatile uint32_t *p)
{
    uint32_t value = __atomic_load_n(p, __ATOMIC_ACQUIRE);

    shm_watch_read((const volatile void *)p, sizeof(value));
    return value;
}

static inline uint64_t shm_read64(const volatile uint64_t *p)
{
    uint64_t value = __atomic_load_n(p, __ATOMIC_ACQUIRE);

    shm_watch_read((const volatile void *)p, sizeof(value));
    return value;
}

static inline void shm_write8(volatile uint8_t *p, uint8_t value)
{
    shm_watch_write((volatile void *)p, sizeof(value));
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static inline void shm_write16(volatile uint16_t *p, uint16_t value)
{
    shm_watch_write((volatile void *)p, sizeof(value));
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static inline void shm_write32(volatile uint32_t *p, uint32_t value)
{
    shm_watch_write((volatile void *)p, sizeof(value));
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static inline void shm_write64(volatile uint64_t *p, uint64_t value)
{
    shm_watch_write((volatile void *)p, sizeof(value));
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/* Replaces *p if it still holds `old`: for words that both sides write (grant flags). */
static inline bool shm_swap16(volatile uint16_t *p, uint16_t old, uint16_t value)
{
    shm_watch_write((volatile void *)p, sizeof(value));
    return __sync_bool_compare_and_swap(p, old, value);
}

static inline bool shm_swap32(volatile uint32_t *p, uint32_t old, uint32_t value)
{
    shm_watch_write((volatile void *)p, sizeof(value));
    return __sync_bool_compare_and_swap(p, old, value);
}

/* Copies whole structures or payloads, every byte of the shared side touched once. */
void shm_copy_in(void *to, const void *shared, size_t len);
void shm_copy_out(void *shared, const void *from, size_t len);
void shm_clear(void *shared, size_t len);

#endif
