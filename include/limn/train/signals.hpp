// Ctrl-C and SIGTERM ask a run to stop after its step. Asked twice, the process ends as it always would.
#pragma once

#include <csignal>

namespace limn::train {

namespace detail {
inline volatile std::sig_atomic_t stop_asked = 0;
inline int stop_signals = 0;  ///< how many of the class live: runs within a run share the flag
}  // namespace detail

/// While it lives, the two signals set a flag. The handlers of before are back when it ends. A signal that was ignored
/// (nohup, background jobs) stays ignored.
class [[nodiscard]] StopSignals {
 public:
  StopSignals() {
    if (detail::stop_signals++ == 0) detail::stop_asked = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { detail::stop_asked = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one has its default effect
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < 2; ++i) {
      sigaction(signals[i], &action, &before_[i]);
      if (before_[i].sa_handler == SIG_IGN) sigaction(signals[i], &before_[i], nullptr);
    }
  }
  ~StopSignals() {
    --detail::stop_signals;
    for (int i = 0; i < 2; ++i) sigaction(signals[i], &before_[i], nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  [[nodiscard]] static bool asked() { return detail::stop_asked != 0; }

 private:
  static constexpr int signals[2] = {SIGINT, SIGTERM};
  struct sigaction before_[2]{};
};

}  // namespace limn::train
