#include "common/options.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "limn/core/about.hpp"

namespace example {

RunOptions parse(int argc, char** argv, const std::string& description, RunOptions options) {
  if (const char* lacking = limn::lacking_instructions()) {
    fmt::print(stderr,
               "This program was built for processors with {}, which this one lacks. "
               "Build it again here, or with -DLIMN_ARCH=generic.\n",
               lacking);
    std::exit(2);
  }
  CLI::App app(description);
  const auto number = [&](const char* name, auto& value, const char* meaning, auto low, auto high) {
    app.add_option(name, value, fmt::format("{} ({} to {})", meaning, low, high))
        ->check(CLI::Range(low, high).description(""))
        ->type_name("N")
        ->capture_default_str();
  };
  app.add_option("--data", options.data, "Folder of images; without it, pictures are generated")
      ->check(CLI::Validator(CLI::ExistingDirectory).description(""))
      ->type_name("DIR");
  number("--pictures", options.pictures, "Pictures to generate, without --data", limn::Index{40}, limn::Index{1000000});
  number("--size", options.size, "Pictures are resized to N x N", limn::Index{32}, limn::Index{2048});
  number("--epochs", options.epochs, "Times to go through the training pictures", limn::Index{1}, limn::Index{100000});
  number("--batch", options.batch, "Pictures in a training step", limn::Index{2}, limn::Index{4096});
  auto seed = static_cast<limn::Index>(options.seed);
  number("--seed", seed, "Of all random numbers: the same seed gives the same result", limn::Index{0},
         limn::Index{1'000'000'000'000'000});
  number("--threads", options.threads, "Threads; 0: as many as there are cores", 0, 1024);
  app.add_option("--out", options.out, "Folder for the checkpoints, the figures and the report")
      ->type_name("DIR")
      ->capture_default_str();
  app.set_version_flag(
      "--version", [] { return limn::about(); }, "Print what the program is made of, and exit");
  app.add_flag("--resume", options.resume,
               options.studies.empty() ? "Go on with the run in the folder --out"
                                       : "Go on with the study in the folder --out; runs that are done are kept");
  if (!options.studies.empty()) {
    options.study = options.studies.front();
    std::string known;
    for (const auto& name : options.studies) known += (known.empty() ? "" : ", ") + name;
    app.add_option("--study", options.study, fmt::format("What is studied: {}", known))
        ->check(CLI::IsMember(options.studies).description(""))
        ->type_name("NAME")
        ->capture_default_str();
    number("--runs", options.runs, "Runs of each setting, with different seeds", limn::Index{1}, limn::Index{1000});
    app.add_flag("--full", options.full, "Try all that the study can try: hours");
    if (options.annotations)
      app.add_option("--annotations", *options.annotations,
                     "Folder of what people marked: Label Studio's *.json, NAME/PICTURE.png, and their answers in "
                     "satisfaction.csv and trust.csv; without it, annotators are made up")
          ->check(CLI::Validator(CLI::ExistingDirectory).description(""))
          ->type_name("DIR");
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) std::exit(app.exit(problem));  // --help
    fmt::print(stderr, "{}\nRun with --help for all options.\n", problem.what());
    std::exit(2);
  }
  if (options.out.empty()) {
    fmt::print(stderr, "--out: expected a folder\nRun with --help for all options.\n");
    std::exit(2);
  }
  options.seed = static_cast<std::uint64_t>(seed);
  limn::set_threads(options.threads);
  fmt::print(stderr, "{}\n", limn::about());
  return options;
}

}  // namespace example
