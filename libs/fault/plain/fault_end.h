/* The two faults that end a life by themselves. */
#ifndef FAULT_END_H
#define FAULT_END_H

static inline void fault_end_undefined(void)
{
    __asm__ volatile("ud2");
}

/* A domain runs with interrupts off; here it says so itself. */
static inline void fault_end_hang(void)
{
    __asm__ volatile("cli");
    for (;;)
        __asm__ volatile("pause");
}

#endif
