"""What Optuna draws of an exported study, with matplotlib and with plotly, beside what was exported."""

import math
import re
import warnings

import matplotlib

matplotlib.use("Agg")
import numpy as np
import optuna
from matplotlib import collections, pyplot

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from optuna.visualization import matplotlib as drawn


def assert_points(found, expected):
    """Equal as sets of points."""
    found, expected = (np.array(sorted(map(tuple, each)), dtype=float) for each in (found, expected))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


def offsets(axes):
    """The points of the scatter, which is drawn last."""
    found = [each.get_offsets() for each in axes.collections if isinstance(each, collections.PathCollection)]
    return np.ma.filled(found[-1], math.nan)


class Plots:
    """Draws `study` into PNG files in `folder` and compares what the axes hold with what was exported.

    trials: number, point and value of each complete one, by number
    reports: number -> {step: value} of each trial that told any and has not failed
    """

    def __init__(self, study, trials, reports, folder):
        self.study, self.trials, self.reports, self.folder = study, trials, reports, folder
        self.values = [trial["value"] for trial in trials]
        self.always = set.intersection(*(set(trial["point"]) for trial in trials))
        self.ever = set().union(*(trial["point"] for trial in trials))

    def save(self, axes, name):
        """A picture that shows nothing fails."""
        figure = np.ravel(axes)[0].figure
        path = f"{self.folder}/{re.sub('[^a-z0-9]+', '-', self.study.study_name)}-{name}.png"
        figure.savefig(path)
        picture = pyplot.imread(path)
        assert picture.size > 100_000 and picture[..., :3].std() > 0.02, path
        pyplot.close(figure)

    def having(self, *names):
        return [trial for trial in self.trials if set(names) <= set(trial["point"])]

    def check_history(self):
        axes = drawn.plot_optimization_history(self.study)
        numbers = [trial["number"] for trial in self.trials]
        assert_points(offsets(axes), zip(numbers, self.values))
        (line,) = axes.lines
        assert list(line.get_xdata()) == numbers
        assert list(line.get_ydata()) == [max(self.values[:count]) for count in range(1, 1 + len(numbers))]
        assert line.get_ydata()[-1] == self.study.best_value
        self.save(axes, "history")

    def check_importances(self):
        """Of what every trial has."""
        judge = optuna.importance.FanovaImportanceEvaluator(seed=1)
        axes = drawn.plot_param_importances(self.study, evaluator=judge)
        bars = {text.get_text(): bar.get_width() for text, bar in zip(axes.get_yticklabels(), axes.patches)}
        assert bars == optuna.importance.get_param_importances(self.study, evaluator=judge), bars
        assert set(bars) == self.always and abs(sum(bars.values()) - 1) < 1e-9, bars
        self.save(axes, "importances")

    def check_reports(self):
        axes = drawn.plot_intermediate_values(self.study)
        lines = {line.get_label(): line for line in axes.lines}
        assert lines.keys() == {f"Trial{number}" for number in self.reports}, lines.keys()
        for number, values in self.reports.items():
            line = lines[f"Trial{number}"]
            assert list(line.get_xdata()) == sorted(values)
            np.testing.assert_array_equal(line.get_ydata(), [values[step] for step in sorted(values)])
        self.save(axes, "reports")

    def check_coordinates(self):
        """A trial without one of the parameters asked for is left out."""
        for names in (self.ever, self.always):
            axes = drawn.plot_parallel_coordinate(self.study, params=sorted(names))
            (lines,) = (each for each in axes.collections if isinstance(each, collections.LineCollection))
            segments = lines.get_segments()
            assert sorted(each[0][1] for each in segments) == sorted(each["value"] for each in self.having(*names))
            assert {len(each) for each in segments} == {1 + len(names)}
            self.save(axes, f"coordinates-{len(names)}")

    def check_slices(self):
        every = drawn.plot_slice(self.study)
        assert [axes.get_xlabel() for axes in every] == sorted(self.ever)
        for axes in every:
            name = axes.get_xlabel()
            having = self.having(name)
            values = [trial["point"][name] for trial in having]
            if any(isinstance(value, str) for value in values):  # at 0, 1, … in the order in which they come
                texts = list(dict.fromkeys(map(str, values)))
                values = [texts.index(str(value)) for value in values]
            assert_points(offsets(axes), zip(values, (trial["value"] for trial in having)))
        self.save(every, "slices")

    def check_contour(self, *names):
        """Of two numbers."""
        axes = drawn.plot_contour(self.study, params=names)
        x, y = axes.get_xlabel(), axes.get_ylabel()
        assert {x, y} == set(names)
        assert_points(offsets(axes), [[trial["point"][x], trial["point"][y]] for trial in self.having(x, y)])
        assert len(axes.collections) > 10  # the points, and lines and fillings of several heights
        self.save(axes, "contour-" + "-".join(names))

    def check_shares(self):
        axes = drawn.plot_edf(self.study)
        (line,) = axes.lines
        x, y = line.get_xdata(), line.get_ydata()
        assert (x[0], x[-1]) == (min(self.values), max(self.values))
        np.testing.assert_array_equal(y, [sum(value <= each for value in self.values) / len(self.values) for each in x])
        self.save(axes, "shares")

    def check_plotly(self):
        """What Optuna's dashboard draws with."""
        other = optuna.visualization
        best = next(each for each in other.plot_optimization_history(self.study).data if each.name == "Best Value")
        assert best.y[-1] == max(self.values)
        curves = other.plot_intermediate_values(self.study).data
        assert {each.name for each in curves} == {f"Trial{number}" for number in self.reports}
        slices = other.plot_slice(self.study).data
        assert [len(each.x) for each in slices] == [len(self.having(name)) for name in sorted(self.ever)]
        for draw in (other.plot_param_importances, other.plot_parallel_coordinate, other.plot_edf):
            figure = draw(self.study)
            assert figure.data and figure.to_json(), draw.__name__

    def check(self, *contours):
        """`contours`: pairs of parameters that are numbers."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.check_history()
            self.check_importances()
            self.check_reports()
            self.check_coordinates()
            self.check_slices()
            for names in contours:
                self.check_contour(*names)
            self.check_shares()
            self.check_plotly()
