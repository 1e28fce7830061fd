/* Sizes of a domain image's own stacks, shared by assembly and C. */
#ifndef RT_LAYOUT_H
#define RT_LAYOUT_H

/* The system-call floor's; then those of exceptions and of double faults. */
#define FLOOR_STACK 16384
#define TRAP_STACK  4096

/* The program's own, unless it is linked with -Wl,--defsym=rt_stack_size=BYTES. */
#define MAIN_STACK 262144

#endif
