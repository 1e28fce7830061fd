/*
 * A device that moves memory: from anywhere into itself, and from itself to
 * anywhere, as far as nobody stops it. And what all attacks by one have in common.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <abi/addr.h>
#include <stdbool.h>
#include <stdint.h>

#define LEN 1024u /* of each transfer: what all of them can, in one piece */

struct engine {
    const char *name;
    uint32_t id; /* vendor and device */
    bool (*open)(volatile uint8_t *registers);
    void (*load)(uint64_t from);
    void (*store)(uint64_t to);
    /* Has it write a note of what it did (a descriptor, an entry of a queue); NULL: it has none.
     * Where nothing contains it, that may take a while. */
    void (*note)(uint64_t to);
    /* Begins transfers of its own pages that take longer than this domain lives. */
    void (*linger)(void);
};

extern const struct engine edu, nvme, e1000e;

/* The one that is at it. */
extern const struct engine *engine;

/* The attack by each device of the domain; none is a skipped test. */
void engine_each(void (*attack)(void));

/* The function's configuration space, by 32 bits; NULL if the domain has no such device. */
volatile uint32_t *engine_config(const struct engine *which);
#define CONFIG_COMMAND 1u
#define CONFIG_BAR     4u

/* Opens the device anew, whatever became of it. */
void engine_open(void);

/* ---- the domain and its pages ----------------------------------------------------------- */

#define ENGINE_SECRET 0xd5u

/* Where a device of this domain finds a page. */
uint64_t engine_address(const void *page);

/* What the core tells: is there an IOMMU, and how many accesses did it block? */
bool engine_contained(void);
uint64_t engine_blocked(void);

/* Since a count: at least one more if there is an IOMMU that tells ("silent": it does not). */
bool engine_was_told(uint64_t before);

void engine_fill(uint8_t *page, uint8_t value);
unsigned engine_count(const uint8_t *page, uint8_t value);

/* What the device finds somewhere: LEN bytes. All ENGINE_SECRET: it had to keep what it had. */
const volatile uint8_t *engine_look(uint64_t at);

/* It found something, and not what one gets for nothing. */
bool engine_saw(const volatile uint8_t *found);

/* LEN bytes of a value, somewhere. */
void engine_spoil(uint64_t at, uint8_t value);

static inline void engine_wait(void)
{
    __asm__ volatile("pause" : : : "memory");
}

#endif
