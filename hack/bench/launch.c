// Runs one command and prints what it cost: wall time in ns, user+system time in us, peak RSS in KiB, exit status.
// A program of its own because the kernel counts the memory of whoever forks into the peak RSS of the command,
// and because this one adds nothing between the two clocks but the fork, the exec and the wait.
// usage: launch STDERR_FILE PROG [ARGS...]      (PROG's stdin and stdout are /dev/null)
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  int err = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (null < 0 || err < 0) return 2;
  long long start = now();
  pid_t pid = vfork();
  if (pid == 0) {
    dup2(null, 0);
    dup2(null, 1);
    dup2(err, 2);
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (pid < 0 || wait4(pid, &status, 0, &used) < 0) return 2;
  long long wall = now() - start;
  long long cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  printf("%lld %lld %ld %d\n", wall, cpu, used.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
