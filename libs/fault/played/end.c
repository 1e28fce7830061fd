/* Host tests: the ends of a life, counted. */
#include <fault_end.h>

unsigned fault_end_undefined_count, fault_end_hang_count;

void fault_end_undefined(void)
{
    fault_end_undefined_count++;
}

void fault_end_hang(void)
{
    fault_end_hang_count++;
}
