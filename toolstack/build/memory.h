/* Fills a new domain's guest-physical memory: frames by the largest pieces there are, then bytes.
 */
#ifndef BUILD_MEMORY_H
#define BUILD_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <abi/xen.h>

/* Gives the domain zeroed RAM at [gpa, gpa + len), whole frames. Zero or a negative error number.
 */
int memory_populate(domid_t domid, uint64_t gpa, uint64_t len) __attribute__((warn_unused_result));

/* The same with the machine's frames of the same addresses; -ENOMEM: they are not all free. */
int memory_claim(domid_t domid, uint64_t gpa, uint64_t len) __attribute__((warn_unused_result));

/* The same where frames are missing among others, which stay as they are. */
int memory_mend(domid_t domid, uint64_t gpa, uint64_t len) __attribute__((warn_unused_result));

/* Copies bytes in; the frames must be there. */
int memory_load(domid_t domid, uint64_t gpa, const void *bytes, size_t len)
    __attribute__((warn_unused_result));

/* The same for what should be there already: only pages that are not as they should be are written.
 */
int memory_reload(domid_t domid, uint64_t gpa, const void *bytes, size_t len)
    __attribute__((warn_unused_result));

/* Zeroes in their place. */
int memory_clear(domid_t domid, uint64_t gpa, uint64_t len) __attribute__((warn_unused_result));

#endif
