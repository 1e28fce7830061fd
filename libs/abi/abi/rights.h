/* Privileges of a domain: named and separate, given at creation, dropped, never gained. */
#ifndef ABI_RIGHTS_H
#define ABI_RIGHTS_H

#define RIGHT_BUILD    (1u << 0) /* create and destroy domains, fill their memory, start them */
#define RIGHT_MEMORY   (1u << 1) /* read the memory of a running domain */
#define RIGHT_HARDWARE (1u << 2) /* list PCI functions and hand them to domains */
#define RIGHT_CONSOLE  (1u << 3) /* show and feed the consoles of domains */
#define RIGHT_PROMPT   (1u << 4) /* be the one who reads what is typed at the core's console */
#define RIGHT_SCHEDULE (1u << 5) /* pause and resume domains */
#define RIGHT_POWER    (1u << 6) /* stop or restart the host */
#define RIGHT_INSPECT  (1u << 7) /* list domains, read counters and the core's log */

#define RIGHTS_ALL ((1u << 8) - 1)

#endif
