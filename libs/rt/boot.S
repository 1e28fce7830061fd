/*
 * Entry of a domain: from PVH's 32-bit flat mode to 64-bit C on the floor's
 * stack. The first page tables map 4 GiB as they are; paging.c puts tighter
 * ones in their place once it knows the memory map. CR4 is as the core and Linux
 * have it where translation is concerned: QEMU flushes once more at each entry and
 * exit if it differs.
 */

#include "layout.h"

    .section .note.pvh, "a", @note
    .balign 4
    .long 4
    .long 8
    .long 18                    /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .balign 4
    .quad boot_entry
    .balign 4

    .section .text.boot, "ax", @progbits
    .code32
    .globl boot_entry
boot_entry:
    cld
    cli
    movl %ebx, %ebp             /* start info, out of the way of CPUID and loops */
    movl $floor_stack_top, %esp

    movl $boot_pml4, %edi
    movl $boot_pdpt + 3, (%edi)
    movl $boot_pdpt, %edi
    movl $boot_pd + 3, %eax
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 1b

    movl $boot_pd, %edi
    movl $0x83, %eax            /* present, writable, 2 MiB */
    movl $2048, %ecx
2:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 2b

    xorl %eax, %eax
    cpuid
    xorl %ebx, %ebx
    cmpl $7, %eax
    jb 3f
    movl $7, %eax
    xorl %ecx, %ecx
    cpuid
3:  movl %ebx, %eax             /* CR4: what the CPU has of SMEP (bit 7 there) and SMAP (20) */
    shll $13, %eax
    andl $0x100000, %eax
    shll $1, %ebx
    andl $0x200000, %ebx
    orl %ebx, %eax
    orl $0x6b0, %eax            /* and PSE, PAE, PGE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $boot_pml4, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx      /* EFER: SCE, LME, NXE */
    rdmsr
    orl $0x901, %eax
    wrmsr
    movl $0x80010033, %eax      /* CR0: PG, WP, NE, ET, MP, PE */
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $8, $boot_long

    .code64
boot_long:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    fninit
    ldmxcsr boot_mxcsr(%rip)
    movl %ebp, %edi
    leaq floor_stack_top(%rip), %rsp
    xorl %ebp, %ebp
    call start_main
    ud2

/* start_program(stack): the process stack that the C library's entry expects. */
    .text
    .globl start_program
start_program:
    movq %rdi, %rsp
    xorl %edx, %edx             /* no function to register with atexit */
    xorl %ebp, %ebp
    jmp _start

    .section .rodata
    .balign 4
boot_mxcsr:
    .long 0x1f80

    .data
    .balign 8
    .globl boot_gdt
boot_gdt:
    .quad 0
    .quad 0x00209b0000000000    /* 64-bit code */
    .quad 0x00cf93000000ffff    /* data */
    .quad 0, 0                  /* the task state, filled in by trap_init */
boot_gdt_end:
boot_gdt_pointer:
    .word boot_gdt_end - boot_gdt - 1
    .quad boot_gdt

    .bss
    .balign 4096
boot_pml4:
    .skip 4096
    .globl boot_pdpt
boot_pdpt:
    .skip 4096
boot_pd:
    .skip 4 * 4096

/*
 * Stacks, each above a page that paging.c unmaps. The main stack's size is the
 * linker script's affair.
 */
    .section .stacks, "aw", @nobits
    .balign 4096
    .globl stack_guards
stack_guards:
    .skip 4096
    .skip FLOOR_STACK
    .globl floor_stack_top
floor_stack_top:
    .skip 4096
    .skip TRAP_STACK
    .globl trap_stack_top
trap_stack_top:
    .skip 4096
    .skip TRAP_STACK
    .globl double_stack_top
double_stack_top:

    .section .note.GNU-stack, "", @progbits
