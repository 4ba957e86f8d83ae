// What a run reports and when it ends.
#include "limn/train/fit.hpp"

#include "tiny.hpp"

using namespace tiny;

namespace {

struct Linears {  // no batch normalisation: an epoch at rate 0 can be worked out by hand
  static constexpr int in_channels = 1, out_channels = 2;
  Linear<Cpu, 1, 2> fc;
  static constexpr auto fields = Fields{field<"fc">(&Linears::fc)};
  Var<Cpu> operator()(const Var<Cpu>& x, auto& run) const { return run(fc, flatten(global_average(x))); }
};

struct Half {
  static constexpr const char* name = "half";
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    return mean(step.logits * 0.f) + .5f;
  }
};

struct Progress {  // its value is how far the training is
  static constexpr const char* name = "progress";
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    return mean(step.logits * 0.f) + static_cast<float>(step.progress);
  }
};

struct Watching {  // needs a layer and the pictures
  static constexpr const char* name = "watching";
  template <class Net, Backend B>
  void watch(const Net& net, Run<B>& run) const {
    run.template watch<"stem">(net);
    run.watch_input();
  }
  template <Backend B>
  Var<B> operator()(const Step<B>& step) const {
    const Var<B> slope = grad(sum(step.logits), step.run.watched_input(), {.create_graph = true});
    return mean(square(step.run.watched("stem"))) + mean(square(slope));
  }
};

}  // namespace

TEST_CASE("a loss gets the output of a layer and the gradient of the pictures, and can make both small") {
  Net net;
  const auto data = pictures(24, "t");
  const auto fit = train::fit(net, CrossEntropy{} + 10.f * Watching{}, Adam{{.lr = .03f}}, data, data,
                              {.epochs = 6, .batch = 8, .restore_best = false, .quiet = true});
  const auto& columns = fit.history.columns;
  const auto at = static_cast<std::size_t>(std::find(columns.begin(), columns.end(), "watching") - columns.begin());
  REQUIRE(at < columns.size());
  CHECK(fit.history.rows.back()[at] < .3 * fit.history.rows.front()[at]);
}

TEST_CASE("a loss is told how far the training is") {
  Linears net;
  const auto data = pictures(8, "t");
  const auto fit = train::fit(net, CrossEntropy{} + Progress{}, Sgd{{.lr = 0}}, data, data,
                              {.epochs = 2, .batch = 4, .balanced = false, .quiet = true});
  const report::History& history = fit;  // two steps an epoch: at 0 and 1/4, then at 1/2 and 3/4
  const auto column = std::find(history.columns.begin(), history.columns.end(), "progress") - history.columns.begin();
  REQUIRE(column < std::ssize(history.columns));
  CHECK(history.rows[0][static_cast<std::size_t>(column)] == doctest::Approx(.125));
  CHECK(history.rows[1][static_cast<std::size_t>(column)] == doctest::Approx(.625));
}

TEST_CASE("a network learns, and the run says so") {
  Net net;
  const auto train = pictures(48, "t"), val = pictures(24, "v");
  std::vector<Index> told;
  const auto fit = train::fit(net, CrossEntropy{}, Adam{{.lr = .03f}}, train, val,
                              {.epochs = 12,
                               .batch = 16,
                               .seed = Seed{3},
                               .monitor = "val_loss",
                               .quiet = true,
                               .on_epoch = [&](const train::EpochRecord& r) { told.push_back(r.epoch); }});
  CHECK(fit.ending == train::Ending::epochs);
  CHECK(fit.best_value < .3);
  CHECK(told == std::vector<Index>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const report::History& history = fit;
  CHECK(history.columns == std::vector<std::string>{"epoch", "loss", "val_loss", "val_accuracy", "val_auc", "lr",
                                                    "seconds", "images_per_second"});
  REQUIRE(history.rows.size() == 12);
  CHECK(history.rows[static_cast<std::size_t>(fit.best_epoch - 1)][2] == fit.best_value);
  for (const auto& row : history.rows) CHECK(row[2] >= fit.best_value);
  CHECK(history.rows[11][1] < history.rows[0][1]);
  CHECK(history.training_images == 48);
  CHECK(net.stem.bn.num_batches_tracked.value()(0) == fit.best_epoch * 4);  // balanced: 2 x 32 pictures an epoch
}

TEST_CASE("losses and scores of an epoch by hand") {
  Linears net;
  net.fc.weight.value().fill(0);
  net.fc.bias.value()(0) = 0;
  net.fc.bias.value()(1) = 1;          // p(stripes) = .7310586 for every picture
  const auto data = pictures(9, "t");  // 6 of noise, 3 of stripes
  const auto fit = train::fit(net, CrossEntropy{} + 2.f * Half{}, Sgd{{.lr = 0}}, data, data,
                              {.epochs = 1, .batch = 4, .balanced = false, .quiet = true});
  const double noise = std::log(1 + std::exp(1.)), stripes = noise - 1, expected = (6 * noise + 3 * stripes) / 9;
  const auto value = [&](const char* name) {
    for (std::size_t i = 0; i < fit.history.columns.size(); ++i)
      if (fit.history.columns[i] == name) return fit.history.rows[0][i];
    return -1.;
  };
  CHECK(value("cross_entropy") == doctest::Approx(expected).epsilon(1e-6));
  CHECK(value("half") == .5);
  CHECK(value("loss") == doctest::Approx(expected + 1).epsilon(1e-6));
  CHECK(value("val_loss") == doctest::Approx(expected).epsilon(1e-6));
  CHECK(value("val_accuracy") == doctest::Approx(3. / 9));
  CHECK(value("val_auc") == .5);  // all the same: chance
  CHECK(value("lr") == 0);
}

TEST_CASE("every group can have a schedule of its own") {
  const auto data = pictures(24, "t");
  const auto trained = [&](const Schedule& of_all, std::vector<ParameterGroup> groups) {
    Net net;
    (void)train::fit(net, CrossEntropy{}, Sgd{{.lr = .1, .momentum = .9}, std::move(groups)}, data, data,
                     {.epochs = 4, .batch = 8, .schedule = of_all, .restore_best = false, .quiet = true});
    return net;
  };
  const Cosine cosine{.warmup_epochs = 1};
  const StepDecay decay{.every = 1, .factor = .5};
  const Net all = trained(cosine, {}), one_group = trained({}, {{.prefix = "", .schedule = cosine}});
  check_same_bits(all, one_group);
  const Net a = trained(cosine, {{.prefix = "fc", .schedule = decay}}),
            b = trained(decay, {{.prefix = "stem", .schedule = cosine}});
  check_same_bits(a, b);
  CHECK(weights_of(leaves(a)).tensors.at("fc.bias").bytes != weights_of(leaves(all)).tensors.at("fc.bias").bytes);
}

TEST_CASE("before_epoch is asked before every epoch and can end the run, which is no time limit") {
  const support::Folder folder("fit_before");
  const auto data = pictures(12, "t");
  Net net, after_one;
  std::vector<Index> asked;
  train::FitOptions o{.epochs = 9, .batch = 6, .out = folder.path, .max_minutes = 60, .restore_best = false};
  o.quiet = true;
  o.before_epoch = [&](Index epoch) { return asked.push_back(epoch), epoch < 2; };
  const auto ended = train::fit(net, CrossEntropy{}, Adam{}, data, data, o);
  CHECK(asked == std::vector<Index>{1, 2});
  CHECK(ended.ending == train::Ending::interrupted);
  CHECK(ended.history.rows.size() == 1);
  (void)train::fit(after_one, CrossEntropy{}, Adam{}, data, data,
                   {.epochs = 1, .batch = 6, .restore_best = false, .quiet = true});
  check_same_bits(net, after_one);

  asked.clear();
  o.before_epoch = [&](Index epoch) { return asked.push_back(epoch), true; };
  o.epochs = 3;
  o.resume = true;
  CHECK(train::fit(net, CrossEntropy{}, Adam{}, data, data, o).history.rows.size() == 3);
  CHECK(asked == std::vector<Index>{2, 3});
}

TEST_CASE("early stopping, time limit, best weights") {
  const auto data = pictures(12, "t");
  Net net;
  const auto still = train::fit(net, CrossEntropy{}, Sgd{{.lr = 0}}, data, data,
                                {.epochs = 9, .batch = 6, .monitor = "val_accuracy", .patience = 2, .quiet = true});
  CHECK(still.ending == train::Ending::early_stopping);
  CHECK(still.history.rows.size() - static_cast<std::size_t>(still.best_epoch) == 2);

  const support::Folder folder("fit_limits");
  Net late;
  const auto limited =
      train::fit(late, CrossEntropy{}, Sgd{}, data, data,
                 {.epochs = 9, .batch = 6, .out = folder.path / "run", .max_minutes = 1e-9, .quiet = true});
  CHECK(limited.ending == train::Ending::time_limit);
  CHECK(limited.history.rows.empty());
  CHECK(late.stem.bn.num_batches_tracked.value()(0) == 1);  // the step under way was finished

  Net best, last;
  train::FitOptions options{.epochs = 5, .batch = 6, .out = folder.path / "best", .monitor = "val_loss", .quiet = true};
  Net at_best;
  double lowest = 1e9;
  options.on_epoch = [&](const train::EpochRecord& r) {  // makes the later epochs bad
    if (r.at("val_loss") < lowest) at_best = best;
    lowest = std::min(lowest, r.at("val_loss"));
    if (r.epoch >= 2) best.fc.bias.value().data()[0] += 50;
  };
  const auto fit = train::fit(best, CrossEntropy{}, Adam{}, data, data, options);
  CHECK(fit.best_epoch <= 2);
  check_same_bits(best, at_best);
  Net read{Seed{99}};
  load_weights(read, folder.path / "best" / "best.safetensors");
  check_same_bits(read, at_best);
  load_weights(last, folder.path / "best" / "last.safetensors");
  CHECK(last.fc.bias.value()(0) > 40);
  CHECK(*io::read_safetensors(folder.path / "best" / "best.safetensors").find_text("epoch") == text(fit.best_epoch));
}

TEST_CASE("early epochs are the best only until a later one is done") {
  const auto data = pictures(12, "t");
  Net net;
  train::FitOptions options{.epochs = 5, .batch = 6, .monitor = "val_loss", .choose_after = .5, .quiet = true};
  options.on_epoch = [&](const train::EpochRecord&) { net.fc.bias.value().data()[0] += 50; };   // worse and worse
  CHECK(train::fit(net, CrossEntropy{}, Sgd{{.lr = 0}}, data, data, options).best_epoch == 4);  // 3 of 5 are early
  options.choose_after = 0;
  Net again;
  options.on_epoch = [&](const train::EpochRecord&) { again.fc.bias.value().data()[0] += 50; };
  CHECK(train::fit(again, CrossEntropy{}, Sgd{{.lr = 0}}, data, data, options).best_epoch == 1);
  // Patience counts from there, and a run that is over before then still has a best epoch.
  Net still;
  const auto patient = train::fit(still, CrossEntropy{}, Sgd{{.lr = 0}}, data, data,
                                  {.epochs = 9, .batch = 6, .choose_after = .5, .patience = 2, .quiet = true});
  CHECK(patient.history.rows.size() - static_cast<std::size_t>(patient.best_epoch) == 2);
  CHECK(patient.best_epoch >= 6);
  Net one;
  CHECK(train::fit(one, CrossEntropy{}, Sgd{}, data, data, {.epochs = 1, .batch = 6, .choose_after = .9, .quiet = true})
            .best_epoch == 1);
}

TEST_CASE("a last batch of one picture is left out where statistics are learned") {
  Net net;
  const auto data = pictures(9, "t");
  train::fit(net, CrossEntropy{}, Adam{}, data, data, {.epochs = 1, .batch = 4, .balanced = false, .quiet = true});
  CHECK(net.stem.bn.num_batches_tracked.value()(0) == 2);
}

TEST_CASE("a last batch that is not full can be left out") {
  Net net;
  const auto data = pictures(11, "t");
  train::fit(net, CrossEntropy{}, Adam{}, data, data,
             {.epochs = 1, .batch = 4, .balanced = false, .drop_last = true, .quiet = true});
  CHECK(net.stem.bn.num_batches_tracked.value()(0) == 2);
}

TEST_CASE("before an epoch is validated the network can be changed, and what is validated and kept is that") {
  const auto data = pictures(9, "t");  // 6 of noise, 3 of stripes
  Linears net;
  Index calls = 0;
  const auto says = [&](Index label) {  // the same of every picture
    net.fc.weight.value().fill(0);
    net.fc.bias.value()(0) = label == 0 ? 1 : -1;
    net.fc.bias.value()(1) = 0;
  };
  std::vector<double> seen;
  train::fit(net, CrossEntropy{}, Sgd{{.lr = .1}}, data, data,
             {.epochs = 3,
              .batch = 4,
              .monitor = "val_accuracy",
              .quiet = true,
              .on_epoch = [&](const train::EpochRecord& record) { seen.push_back(record.at("val_accuracy")); },
              .before_validation = [&] { says(calls++ == 1 ? 0 : 1); }});
  CHECK(calls == 3);
  CHECK(seen == std::vector<double>{3. / 9, 6. / 9, 3. / 9});
  CHECK(net.fc.bias.value()(0) == 1);  // of the second epoch, the best
}

TEST_CASE("lines of progress") {
  const train::StepRecord step{3, 30, 5, 40, 153.26, 3725, {{"loss", 0.693}}};
  CHECK(train::detail::step_line(step) ==
        "epoch 3/30 [==                  ] 5/40  153.3 images/s  1:02:05 left  loss 0.693");
  CHECK(train::detail::epoch_line({2, {{"loss", .5}, {"val_auc", NAN}}}, 30) == "epoch 2/30  loss 0.5  val_auc nan");
  CHECK(train::detail::clock_text(62) == "1:02");
}
