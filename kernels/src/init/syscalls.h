/* Raw system calls: the numbers of arch/x86/entry/syscalls/syscall_64.tbl, syscall_32.tbl and of
 * include/uapi/asm-generic/unistd.h, the *at() forms throughout since arm64 has no others. */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#if defined(__x86_64__)
#define SYS_read 0
#define SYS_write 1
#define SYS_close 3
#define SYS_ioctl 16
#define SYS_dup3 292
#define SYS_fcntl 72
#define SYS_syslog 103
#define SYS_sync 162
#define SYS_mount 165
#define SYS_reboot 169
#define SYS_openat 257
#define SYS_mkdirat 258
#define SYS_mknodat 259

static inline long call(long number, long a, long b, long c, long d, long e) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "+a"(number)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return number;
}
#elif defined(__i386__)
#define SYS_read 3
#define SYS_write 4
#define SYS_close 6
#define SYS_mount 21
#define SYS_sync 36
#define SYS_ioctl 54
#define SYS_fcntl 55
#define SYS_reboot 88
#define SYS_syslog 103
#define SYS_openat 295
#define SYS_mkdirat 296
#define SYS_mknodat 297
#define SYS_dup3 330

static inline long call(long number, long a, long b, long c, long d, long e) {
  __asm__ volatile("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return number;
}
#else /* arm64 and riscv64 have asm-generic's numbers */
#define SYS_dup3 24
#define SYS_fcntl 25
#define SYS_ioctl 29
#define SYS_mknodat 33
#define SYS_mkdirat 34
#define SYS_mount 40
#define SYS_openat 56
#define SYS_close 57
#define SYS_read 63
#define SYS_write 64
#define SYS_sync 81
#define SYS_syslog 116
#define SYS_reboot 142

static inline long call(long number, long a, long b, long c, long d, long e) {
#if defined(__aarch64__)
#define ARGUMENT(n) __asm__("x" #n)
#define SYSCALL "svc #0"
  register long nr __asm__("x8") = number;
#else
#define ARGUMENT(n) __asm__("a" #n)
#define SYSCALL "ecall"
  register long nr __asm__("a7") = number;
#endif
  register long r0 ARGUMENT(0) = a;
  register long r1 ARGUMENT(1) = b;
  register long r2 ARGUMENT(2) = c;
  register long r3 ARGUMENT(3) = d;
  register long r4 ARGUMENT(4) = e;
  __asm__ volatile(SYSCALL : "+r"(r0) : "r"(nr), "r"(r1), "r"(r2), "r"(r3), "r"(r4) : "memory");
  return r0;
}
#endif

#endif
