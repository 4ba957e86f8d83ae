// How the benchmarks measure: limn and its peers take turns, medians of many calls, and how much of the CPUs other
// processes used meanwhile.
#pragma once

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "limn/core/parallel.hpp"

namespace bench {

/// Milliseconds of a clock that only counts up.
inline double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Milliseconds of each of `count` calls, one after the other.
template <class F>
std::vector<double> milliseconds(int count, const F& f) {
  std::vector<double> out;
  for (int i = 0; i < count; ++i) {
    const double start = now();
    f();
    out.push_back(now() - start);
  }
  return out;
}

/// The value below which this share of all values lies; 0.5: the median.
inline double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + .5)];
}

// ---- Where threads run, and who else does

/// The CPUs that this process was started on, before any thread of it was bound to one of them.
inline const cpu_set_t& allowed_cpus() {
  static const cpu_set_t all = [] {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    return set;
  }();
  return all;
}

/// Gives each of limn's threads a CPU of its own.
inline void pin_threads() {
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed_cpus())) cpus.push_back(cpu);
#pragma omp parallel num_threads(limn::threads())
  {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpus[static_cast<std::size_t>(omp_get_thread_num()) % cpus.size()], &one);
    sched_setaffinity(0, sizeof one, &one);
  }
}

/// Seconds for which the allowed CPUs worked for anybody.
inline double busy_seconds() {
  std::ifstream stat("/proc/stat");
  double ticks = 0;
  for (std::string line; std::getline(stat, line);) {
    int cpu = 0;
    double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0;
    if (std::sscanf(line.c_str(), "cpu%d %lf %lf %lf %lf %lf %lf %lf %lf", &cpu, &user, &nice, &system, &idle, &wait,
                    &irq, &softirq, &steal) == 9 &&
        CPU_ISSET(cpu, &allowed_cpus()))
      ticks += user + nice + system + irq + softirq + steal;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Seconds for which CPUs worked for a process.
inline double process_seconds(pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string line, word;
  std::getline(stat, line);
  std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 1)));  // names may hold spaces
  double user = 0, system = 0;
  for (int i = 0; i < 11; ++i) rest >> word;
  rest >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// The most memory that a process ever had in RAM, MB (2^20 bytes).
inline double peak_megabytes(pid_t process = getpid()) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  double kilobytes = 0;
  for (std::string line; std::getline(status, line);)
    if (std::sscanf(line.c_str(), "VmHWM: %lf", &kilobytes) == 1) break;
  return kilobytes / 1024;
}

// ---- Taking turns

/// One of those that are compared.
struct Contender {
  std::string name;
  std::function<std::vector<double>(int calls)> run;  ///< milliseconds of so many calls
  pid_t process = getpid();                           ///< where the work is done
};

/// limn, or whatever else runs in this process.
template <class F>
Contender here(std::string name, F f) {
  return {std::move(name), [f = std::move(f)](int calls) { return milliseconds(calls, f); }};
}

/// How long to measure.
struct Effort {
  int rounds;          ///< everybody's turns
  double turn;         ///< milliseconds that a turn should last
  double calm = 0.05;  ///< when others took a larger share of the CPUs the set is taken again ...
  int sets = 3;        ///< ... so many sets at most, and the calmest counts
};

struct Timing {
  double median = 0;           ///< milliseconds, over all calls
  double spread = 0;           ///< half the distance of the quartiles, over the median
  std::vector<double> rounds;  ///< the median of each turn
};

struct Comparison {
  std::vector<Timing> of;  ///< as the contenders
  double others = 0;       ///< share of the CPUs that other processes took
};

/// In every round all have a turn, in the opposite order of the round before, so that a clock that drifts and whatever
/// the one leaves in the caches of the other is the same for all.
inline Comparison in_turn(const std::vector<Contender>& contenders, const Effort& effort) {
  std::set<pid_t> processes;
  std::vector<int> calls;
  for (const Contender& c : contenders) {
    processes.insert(c.process);
    c.run(2);  // warm-up: code, buffers, a peer's choice of algorithm
    calls.push_back(static_cast<int>(std::clamp(effort.turn / c.run(1).front(), 1., 50.)));
  }
  const auto ours = [&] {
    double sum = 0;
    for (const pid_t p : processes) sum += process_seconds(p);
    return sum;
  };
  Comparison best;
  best.others = 2;
  for (int set = 0; set < effort.sets && best.others > effort.calm; ++set) {
    std::vector<std::vector<double>> times(contenders.size()), rounds(contenders.size());
    const double start = now(), busy = busy_seconds(), own = ours();
    for (int round = 0; round < effort.rounds; ++round) {
      for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
        const std::size_t i = round % 2 == 0 ? turn : contenders.size() - 1 - turn;
        // OpenMP's and OpenBLAS's idle threads spin for up to 22 ms.
        std::this_thread::sleep_for(std::chrono::milliseconds(25));
        // The first call finds caches that another has filled and threads asleep; it counts where calls are so long
        // that this does not matter.
        const int warm = calls[i] > 1 ? 1 : 0;
        std::vector<double> ms = contenders[i].run(calls[i] + warm);
        ms.erase(ms.begin(), ms.begin() + warm);
        times[i].insert(times[i].end(), ms.begin(), ms.end());
        rounds[i].push_back(quantile(ms, .5));
      }
    }
    const double all = 1e-3 * (now() - start) * CPU_COUNT(&allowed_cpus());
    const double others = std::max(0., (busy_seconds() - busy) - (ours() - own)) / all;
    if (others >= best.others) continue;
    best = {{}, others};
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const double median = quantile(times[i], .5);
      best.of.push_back({median, (quantile(times[i], .75) - quantile(times[i], .25)) / 2 / median, rounds[i]});
    }
  }
  return best;
}

}  // namespace bench
