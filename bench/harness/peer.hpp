// A peer in a process of its own, asked by lines on its standard input, so that nothing is shared but the machine:
// another runtime of threads, another way to keep memory.
//
//   it says first        "= NAME" or, where it cannot run, "! REASON"
//   "time CALLS CASE"    -> milliseconds of each call, in one line, or "! REASON" where it has no such case
//   "memory CASE"        -> peak of its memory while it made three calls, less what it had before, MB
#pragma once

#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "timing.hpp"

namespace bench {

class Peer {
 public:
  /// `name` is how rows call it, `settings` what its environment holds besides ours ("NAME=VALUE"). The process is
  /// started when it is first asked.
  Peer(std::string name, std::vector<std::string> command, std::vector<std::string> settings = {})
      : name_(std::move(name)), command_(std::move(command)), settings_(std::move(settings)) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { stop(); }

  /// Adds the peer to those that are compared in a case, where it can do it; else says why not, once for each reason.
  void join(std::vector<Contender>& contenders, const std::string& of_case, const std::string& name = "") {
    if (!ask("time 1 " + of_case)) return;
    contenders.push_back({name.empty() ? name_ : name,
                          [this, of_case](int calls) {
                            std::vector<double> times =
                                ask("time " + std::to_string(calls) + ' ' + of_case).value_or(std::vector<double>());
                            limn::require(times.size() == static_cast<std::size_t>(calls), name_,
                                          " stopped in the middle of ", of_case);
                            return times;
                          },
                          process_});
  }

  /// In a fresh process, as the peak of this one would also be that of other cases. NaN where it cannot do it.
  [[nodiscard]] double megabytes(const std::string& of_case) const {
    Peer fresh(name_, command_, settings_);
    fresh.quiet_ = true;
    const auto answer = fresh.ask("memory " + of_case);
    return answer && answer->size() == 1 ? answer->front() : std::nan("");
  }

 private:
  std::optional<std::vector<double>> ask(const std::string& question) {
    if (process_ == 0) start();
    if (!running()) return std::nullopt;
    std::fprintf(to_, "%s\n", question.c_str());
    std::fflush(to_);
    const std::string answer = line();
    if (answer.empty() || answer[0] == '!') return refuse(answer);
    std::vector<double> out;
    std::istringstream numbers(answer);
    for (double v = 0; numbers >> v;) out.push_back(v);
    return out;
  }

  [[nodiscard]] bool running() const { return to_ != nullptr; }

  std::nullopt_t refuse(const std::string& answer) {
    const std::string reason = answer.size() > 2 ? answer.substr(2) : "it ended unexpectedly";
    if (!quiet_ && said_.insert(reason).second)
      std::printf("(rows of %s left out: %s)\n", name_.c_str(), reason.c_str());
    if (answer.empty()) stop();
    return std::nullopt;
  }

  void start() {
    std::signal(SIGPIPE, SIG_IGN);  // a peer that ended is noticed by its missing answer
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
    std::vector<char*> words, settings;
    for (std::string& word : command_) words.push_back(word.data());
    for (std::string& setting : settings_) settings.push_back(setting.data());  // the first of equal names counts
    for (char** inherited = environ; *inherited != nullptr; ++inherited) settings.push_back(*inherited);
    words.push_back(nullptr);
    settings.push_back(nullptr);
    const cpu_set_t cpus = allowed_cpus();
    process_ = fork();
    if (process_ == 0) {
      // It would inherit the one CPU of the thread that starts it.
      sched_setaffinity(0, sizeof cpus, &cpus);
      dup2(in[0], 0);
      dup2(out[1], 1);
      execvpe(words[0], words.data(), settings.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_ = fdopen(in[1], "w");
    from_ = fdopen(out[0], "r");
    const std::string first = line();
    if (first.empty() || first[0] != '=') {
      refuse(first.empty() ? "! not installed" : first);
      stop();
    } else if (!quiet_) {
      std::printf("(%s: %s)\n", name_.c_str(), first.substr(2).c_str());
    }
  }

  void stop() {
    if (!running()) return;
    std::fclose(to_);
    std::fclose(from_);
    to_ = from_ = nullptr;
    waitpid(process_, nullptr, 0);
  }

  std::string line() {
    std::string out;
    for (int c = 0; (c = std::fgetc(from_)) != EOF && c != '\n';) out += static_cast<char>(c);
    return out;
  }

  std::string name_;
  std::vector<std::string> command_, settings_;
  std::set<std::string> said_;
  bool quiet_ = false;
  pid_t process_ = 0;
  std::FILE *to_ = nullptr, *from_ = nullptr;
};

// ---- The peers that there are

namespace detail {
/// The number of threads, and what OpenBLAS needs to be told: versions that do not know a new processor fall back to
/// kernels of twenty years ago.
inline std::vector<std::string> tuned(std::vector<std::string> settings = {}) {
  settings.push_back("OMP_NUM_THREADS=" + std::to_string(limn::threads()));
  if (std::getenv("OPENBLAS_CORETYPE") == nullptr && __builtin_cpu_supports("avx2"))
    settings.emplace_back(__builtin_cpu_supports("avx512f") ? "OPENBLAS_CORETYPE=SKYLAKEX"
                                                            : "OPENBLAS_CORETYPE=HASWELL");
  return settings;
}
inline std::string program(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}
inline Peer pytorch(const char* name, const char* layout, std::vector<std::string> settings) {
  return {name, {"python3", BENCH_PEERS "/pytorch.py", layout, std::to_string(limn::threads())}, std::move(settings)};
}
/// glibc keeps memory that was freed: without this every result is fresh pages that the system must clear.
inline std::vector<std::string> keeps_memory() {
  return tuned({"MALLOC_MMAP_THRESHOLD_=4294967296", "MALLOC_TRIM_THRESHOLD_=4294967296"});
}
}  // namespace detail

inline Peer pytorch_as_it_comes() { return detail::pytorch("PyTorch", "contiguous", {}); }
inline Peer pytorch_tuned() { return detail::pytorch("PyTorch tuned", "channels_last", detail::keeps_memory()); }
inline Peer captum() { return detail::pytorch("Captum", "channels_last", detail::keeps_memory()); }
inline Peer onednn() { return {"oneDNN", {detail::program("bench_peer_onednn")}, detail::tuned()}; }
inline Peer dlib() { return {"dlib", {detail::program("bench_peer_dlib")}, detail::tuned()}; }

}  // namespace bench
