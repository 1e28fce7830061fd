/* The system-call floor: what each call of the C library's is answered by. */
#ifndef RT_FLOOR_H
#define RT_FLOOR_H

#include <stdint.h>

/* Linux's six arguments, in their order; the result is negative for an error. */
typedef long floor_handler(const uint64_t a[6]);

floor_handler floor_open, floor_openat, floor_close, floor_read, floor_pread, floor_readv;
floor_handler floor_lseek, floor_stat, floor_fstat, floor_fstatat, floor_access, floor_faccessat;
floor_handler floor_write, floor_writev, floor_ioctl, floor_fcntl, floor_getcwd;
floor_handler floor_brk, floor_mmap, floor_munmap;
floor_handler floor_clock_gettime, floor_gettimeofday, floor_nanosleep, floor_clock_nanosleep;
floor_handler floor_poll, floor_ppoll;
floor_handler floor_exit, floor_kill, floor_arch_prctl, floor_getrandom, floor_yield, floor_uname;

/* For mmap of a file: its bytes. */
long floor_file(uint64_t fd, const uint8_t **data, uint64_t *len);

/* A pointer that the C library passed: the same address space, the same rights. */
static inline void *floor_pointer(uint64_t v)
{
    return (void *)(uintptr_t)v; /* NOLINT(performance-no-int-to-ptr) */
}

#endif
