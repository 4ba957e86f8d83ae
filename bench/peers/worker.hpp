// The other end of bench/harness/peer.hpp, for peers in C++.
#pragma once

#include <exception>
#include <functional>
#include <iostream>

#include "../harness/timing.hpp"

namespace bench {

/// Answers until its input ends. prepare(words of a case) gives what is timed; what it throws is the reason to refuse.
template <class F>
int serve(const std::string& name, const F& prepare) {
  std::cout << "= " << name << std::endl;
  std::string prepared;
  std::function<void()> run;
  for (std::string what, of_case; std::cin >> what;) {
    int calls = 3;
    if (what == "time") std::cin >> calls;
    std::getline(std::cin >> std::ws, of_case);
    const double before = peak_megabytes();
    try {
      if (of_case != prepared) {
        run = nullptr;
        std::istringstream words(of_case);
        run = prepare(words);
        prepared = of_case;
      }
      const std::vector<double> times = milliseconds(calls, run);
      if (what == "memory") std::cout << peak_megabytes() - before;
      if (what == "time")
        for (const double ms : times) std::cout << ms << ' ';
      std::cout << std::endl;
    } catch (const std::exception& error) {
      std::cout << "! " << error.what() << std::endl;
    }
  }
  return 0;
}

}  // namespace bench
