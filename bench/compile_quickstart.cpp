// What a user waits for: time and peak memory of compiling the quickstart as in a release build.
// Usage: bench_compile_quickstart [--quick] [--only REGEX] [--json FILE]   (--quick only checks the syntax)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/report.hpp"

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

/// Runs the command, waits for it, and fills in what it used. Returns its exit status.
int run(const std::vector<std::string>& command, rusage& used) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || wait4(child, &status, 0, &used) != child || !WIFEXITED(status)) return 127;
  return WEXITSTATUS(status);
}

}  // namespace

int main(int count, char** arguments) {
  bench::Report report("compile_quickstart", count, arguments);
  const std::string name = report.quick() ? "syntax, processor time" : "-O2, processor time";
  if (!report.wants(name)) return 0;
  const std::string source = QUICKSTART_SOURCE;
  if (!std::filesystem::exists(source)) {
    std::printf("there is no %s\n", source.c_str());
    return 77;
  }
  std::vector<std::string> command{COMPILER, "@" USER_FLAGS, ARCH_FLAG, "-O2", "-DNDEBUG", "-I" EXAMPLES, source, "-c"};
  for (const char* last : {"-o", "/dev/null"}) command.emplace_back(last);
  if (report.quick()) command.emplace_back("-fsyntax-only");

  rusage used{};
  const int status = run(command, used);
  if (status != 0) {
    std::printf("the compiler ended with status %d\n", status);
    return 1;
  }
  report.add({.name = name,
              .limn_ms = 1e3 * (seconds(used.ru_utime) + seconds(used.ru_stime)),
              .limn_mb = static_cast<double>(used.ru_maxrss) / 1024});
}
