/* Host tests: whoever would have ended is counted. */
#ifndef FAULT_END_H
#define FAULT_END_H

extern unsigned fault_end_undefined_count, fault_end_hang_count;

void fault_end_undefined(void);
void fault_end_hang(void);

#endif
