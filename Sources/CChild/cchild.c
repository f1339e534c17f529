#define _GNU_SOURCE
#include "cchild.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void fail(int status, int error, int stage) {
    struct mr_child_failure failure = {error, stage};
    ssize_t written = write(status, &failure, sizeof failure);
    (void)written;
    _exit(127);
}

// Descriptors without FD_CLOEXEC would keep pipes of other children open.
static void close_others_on_exec(void) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) == 0) return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int descriptor = 3; descriptor < limit; descriptor++) {
        int flags = fcntl(descriptor, F_GETFD);
        if (flags >= 0) fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
    }
}

static void run(char *const arguments[], char *const environment[], const char *directory,
                const int descriptors[3], pid_t parent, int status) {
    // Exec keeps ignored signals ignored and blocked ones blocked.
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before that.
    if (getppid() != parent) _exit(127);
    // First out of the way of 0 to 2, which may be among them.
    int copies[3];
    for (int i = 0; i < 3; i++) {
        copies[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, 3);
        if (copies[i] < 0) fail(status, errno, 0);
    }
    for (int i = 0; i < 3; i++)
        if (dup2(copies[i], i) < 0) fail(status, errno, 0);
    close_others_on_exec();
    if (directory != NULL && chdir(directory) != 0) fail(status, errno, 1);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    environ = (char **)environment;
    execvp(arguments[0], arguments);
    fail(status, errno, 2);
}

pid_t mr_child_start(char *const arguments[], char *const environment[], const char *directory,
                     const int descriptors[3], struct mr_child_failure *failure) {
    *failure = (struct mr_child_failure){0, 0};
    int status[2];
    if (pipe2(status, O_CLOEXEC) != 0) {
        failure->error = errno;
        return -1;
    }
    pid_t parent = getpid();
    // A handler of ours must not run in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) run(arguments, environment, directory, descriptors, parent, status[1]);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(status[1]);
    if (child < 0) {
        close(status[0]);
        failure->error = error;
        return -1;
    }
    // Whichever of both comes first.
    setpgid(child, child);
    ssize_t count;
    do count = read(status[0], failure, sizeof *failure);
    while (count < 0 && errno == EINTR);
    close(status[0]);
    if (count == 0) return child;
    waitpid(child, NULL, 0);
    return -1;
}

int mr_child_ending(pid_t child, int *value) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return 0;
    if (info.si_pid != child) return 0;
    *value = info.si_status;
    return info.si_code == CLD_EXITED ? 1 : 2;
}

int mr_child_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

// fcntl is variadic, which Swift cannot call.
void mr_child_unblock(int descriptor) {
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

void mr_child_widen(int descriptor) { fcntl(descriptor, F_SETPIPE_SZ, 1 << 20); }
