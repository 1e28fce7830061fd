/* What the parts of the runtime know of each other. */
#ifndef RT_INTERNAL_H
#define RT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/addr.h>
#include <abi/life.h>
#include <abi/start.h>

/* The program's and the linker script's names. */
extern char image_start[], image_text[], image_data[], image_end[];
extern char main_guard[], main_stack[], main_stack_top[];
extern uint64_t floor_sp; /* of the program, while it makes a system call */
extern char stack_guards[], floor_stack_top[], trap_stack_top[], double_stack_top[];

/* start.c: what the builder gave, copied out before anything else is written. */
#define START_RANGES 16
#define START_LINE   2048
struct range {
    uint64_t start;
    uint64_t end;
};
struct start {
    struct range ram[START_RANGES]; /* below LAYOUT_LOW_END, whole pages */
    size_t ram_count;
    struct range module;
    char line[START_LINE];
};
extern struct start start_info;

uint64_t start_random(void);

/* paging.c: rights by segment, once; needs memory_init. */
void paging_init(void);
bool paging_may_write(uint64_t address);

/* memory.c: RAM pages; the break grows from the end of the image. */
void memory_init(void);
uint64_t memory_break(uint64_t want);
bool memory_is_ram(uint64_t gpa);

/*
 * life.c: what the control domain is told, on a page that it reads. The beat, the
 * end of the log, and why and where this domain ended: only the first word counts.
 */
void life_init(void);
uint32_t life_port(void);
void life_beat(void);
uint32_t life_order_port(enum life_order order);
void life_obeyed(void);
void life_log(const char *text, size_t len);
bool life_exception(uint32_t vector, uint64_t error, uint64_t flags,
                    const uint64_t registers[LIFE_REGISTERS]);
void life_word(uint32_t kind, const char *why, uint64_t rip, uint64_t rsp, uint64_t rbp);

/* obey.c: whether what arrived at a port was an order; if so, it may not return. */
void obey_init(void);
bool obey(uint32_t port);
uint32_t obey_port(enum life_order order);

/* trap.c: descriptor tables. */
void trap_init(void);

/* event.c: shared info, which has the clock too. */
struct shared_info;
extern struct shared_info *event_shared;
void event_init(void);
void event_sleep(uint64_t deadline);

/* console.c: text without the C library, for code under it. */
void console_write(const char *text, size_t len);
void console_text(const char *text);
void console_hex(uint64_t v, unsigned digits);
void console_flush(void);

/* The end of the domain. */
_Noreturn void die(const char *why);
_Noreturn void die_shutdown(unsigned reason);

#endif
