// Progress on stderr: a bar on a terminal, a line per epoch elsewhere. The only part of the library that prints.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "limn/train/options.hpp"

namespace limn::train {

namespace detail {

/// Four digits that count.
[[gnu::cold]] inline std::string short_number(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.4g", value);
  return out;
}

/// "1:02:03" or "2:03"
[[gnu::cold]] inline std::string clock_text(double seconds) {
  const long total = static_cast<long>(std::clamp(seconds, 0., 1e9));
  char out[32];
  if (total >= 3600) {
    std::snprintf(out, sizeof out, "%ld:%02ld:%02ld", total / 3600, total / 60 % 60, total % 60);
  } else {
    std::snprintf(out, sizeof out, "%ld:%02ld", total / 60, total % 60);
  }
  return out;
}

[[gnu::cold]] inline std::string step_line(const StepRecord& s) {
  constexpr int width = 20;
  const int done = static_cast<int>(s.batch * width / std::max<Index>(s.batches, 1));
  std::string out = text("epoch ", s.epoch, "/", s.epochs, " [", std::string(static_cast<std::size_t>(done), '='),
                         std::string(static_cast<std::size_t>(width - done), ' '), "] ", s.batch, "/", s.batches, "  ",
                         short_number(s.images_per_second), " images/s  ", clock_text(s.seconds_left), " left");
  for (const auto& [name, value] : s.terms) out += "  " + name + " " + short_number(value);
  return out;
}

[[gnu::cold]] inline std::string epoch_line(const EpochRecord& record, Index epochs) {
  std::string out = text("epoch ", record.epoch, "/", epochs);
  for (const auto& [name, value] : record.values) out += "  " + name + " " + short_number(value);
  return out;
}

/// The bar: what has to be remembered between two calls. A line that was not finished is ended when it goes.
struct Bar {
  std::chrono::steady_clock::time_point drawn = {};
  bool open = false;
  Bar() = default;
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;
  ~Bar() {
    if (open) std::fputs("\n", stderr);
  }
};

}  // namespace detail

/// The bar is drawn at most five times a second and never wraps.
[[nodiscard, gnu::cold]] inline Progress stderr_progress() {
  const auto print_epoch = [](const EpochRecord& record, Index epochs) {
    std::fprintf(stderr, "%s\n", detail::epoch_line(record, epochs).c_str());
  };
  if (::isatty(STDERR_FILENO) == 0) return {.epoch = print_epoch};
  const auto bar = std::make_shared<detail::Bar>();
  return {.step =
              [bar](const StepRecord& step) {
                const auto now = std::chrono::steady_clock::now();
                if (now - bar->drawn < std::chrono::milliseconds(200)) return;
                bar->drawn = now;
                winsize window{};
                const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1;
                std::string line = detail::step_line(step);
                line.resize(std::min<std::size_t>(line.size(), known ? window.ws_col - 1u : 79u));
                std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
                bar->open = true;
              },
          .epoch =
              [bar, print_epoch](const EpochRecord& record, Index epochs) {
                std::fputs("\r\x1b[K", stderr);
                print_epoch(record, epochs);
                bar->open = false;
              }};
}

}  // namespace limn::train
