// Cores of a program that goes on: a child process dies in its place, with the calling thread's stack and all of
// its memory as they were. An addon of Node's with the few declarations of Node-API that it needs, so that nobody
// has to fetch headers.
//   dump(directory)             here and now; true once directory/core is written
//   dumpSoon(directory, micros) wherever the thread is after so much of its processor time: the child dies on the
//                               way out of the signal's handler, with the registers of what was interrupted
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef void *napi_env, *napi_value, *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
int napi_get_value_string_utf8(napi_env, napi_value, char *, size_t, size_t *);
int napi_get_value_uint32(napi_env, napi_value, uint32_t *);
int napi_get_boolean(napi_env, bool, napi_value *);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);

static char directory[4096];

// In the child: the next SIGABRT that gets through ends it with a core.
static void prepare_to_die(void) {
  struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &most);
  signal(SIGABRT, SIG_DFL);
  if (chdir(directory) != 0) _exit(1);
}

// V8 has its heap left out of child processes since Node 22. Only calls that a signal's handler may make.
static void give_all_to_children(void) {
  static char text[1 << 16];
  int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  uintptr_t range[2] = {0, 0};
  int field = 0;
  for (ssize_t count; (count = read(file, text, sizeof text)) > 0;) {
    for (char *at = text; at < text + count; at++) {
      if (*at == '\n') {
        madvise((void *)range[0], range[1] - range[0], MADV_DOFORK);
        field = 0;
        range[0] = range[1] = 0;
      } else if (field < 2 && (*at == '-' || *at == ' ')) {
        field++;
      } else if (field < 2) {
        range[field] = range[field] << 4 | (uintptr_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
      }
    }
  }
  close(file);
}

static bool wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFSIGNALED(status) && WCOREDUMP(status);
}

static napi_value boolean(napi_env env, bool is_so) {
  napi_value value = NULL;
  napi_get_boolean(env, is_so, &value);
  return value;
}

static uint32_t take_arguments(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2;
  uint32_t number = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_string_utf8(env, arguments[0], directory, sizeof directory, NULL);
  if (count > 1) napi_get_value_uint32(env, arguments[1], &number);
  return number;
}

static napi_value dump(napi_env env, napi_callback_info info) {
  take_arguments(env, info);
  give_all_to_children();
  pid_t child = fork();
  if (child == 0) {
    prepare_to_die();
    kill(getpid(), SIGABRT);
    _exit(1);
  }
  return boolean(env, child > 0 && wait_for(child));
}

static volatile sig_atomic_t dumped;

static void on_time(int number) {
  (void)number;
  int error = errno;
  give_all_to_children();
  pid_t child = fork();
  if (child == 0) {
    prepare_to_die();
    // Blocked until this handler returns.
    kill(getpid(), SIGABRT);
    return;
  }
  dumped = child > 0 && wait_for(child);
  errno = error;
}

static napi_value dump_soon(napi_env env, napi_callback_info info) {
  uint32_t micros = take_arguments(env, info);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_time;
  action.sa_flags = SA_RESTART;
  sigaddset(&action.sa_mask, SIGABRT);
  sigaction(SIGUSR2, &action, NULL);
  dumped = 0;
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGUSR2;
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
  event.sigev_notify_thread_id = gettid();
  timer_t timer;
  struct itimerspec once = {{0, 0}, {micros / 1000000, micros % 1000000 * 1000 + 1}};
  bool set = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0 && timer_settime(timer, 0, &once, NULL) == 0;
  return boolean(env, set);
}

// Whether the last dumpSoon has come.
static napi_value has_dumped(napi_env env, napi_callback_info info) {
  (void)info;
  return boolean(env, dumped != 0);
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  const struct {
    const char *name;
    napi_callback call;
  } all[] = {{"dump", dump}, {"dumpSoon", dump_soon}, {"hasDumped", has_dumped}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    napi_value function = NULL;
    napi_create_function(env, all[i].name, strlen(all[i].name), all[i].call, NULL, &function);
    napi_set_named_property(env, exports, all[i].name, function);
  }
  return exports;
}
