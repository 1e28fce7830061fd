/* PVH entry of a tiny guest: 32 bits, paging off, %ebx = start info; to long mode over an identity
 * map of the first 4 GiB. And the note that makes it a PVH kernel. */
#include <xen/elfnote.h>

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long entry_start

    .section .head, "ax"
    .code32
    .globl entry_start
entry_start:
    cld
    cli
    movl %ebx, %ebp
    /* One page of directory pointers, four directories of 2 MiB pages. */
    movl $entry_directories + 3, %eax
    movl $entry_pointers, %edi
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    decl %ecx
    jnz 1b
    movl $0x83, %eax
    movl $entry_directories, %edi
    movl $2048, %ecx
1:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    decl %ecx
    jnz 1b
    movl $entry_pointers + 3, entry_root
    movl $entry_root, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x20, %eax                 /* PAE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx          /* EFER.LME */
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80000001, %eax
    movl %eax, %cr0
    lgdt entry_gdt_pointer
    ljmp $8, $entry_long

    .code64
entry_long:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    leaq entry_stack_top(%rip), %rsp
    movl %ebp, %edi
    call start_main
    ud2

/* The hypervisor fills this page: 32 bytes for each hypercall. */
    .section .text.call_page, "ax"
    .balign 4096
    .globl call_table
call_table:
    .fill 4096, 1, 0xcc

    .section .rodata
    .balign 16
entry_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
entry_gdt_pointer:
    .word . - entry_gdt - 1
    .long entry_gdt

    .bss
    .balign 4096
entry_root:
    .skip 4096
entry_pointers:
    .skip 4096
entry_directories:
    .skip 4 * 4096
    .skip 16384
entry_stack_top:

    .section .note.GNU-stack, "", @progbits
