//! One mistake a line in the starter file, and the faults that come of it.

use super::{SMALL, STARTER, check_in, check_text, pointed};
use crate::{Instrument, report_check};

/// Replaces the first `old` in the starter file by `new`.
fn check(old: &str, new: &str, expected: &[&str]) {
    check_in(STARTER, old, new, expected);
}

#[test]
fn syntax_errors_are_faults_like_others() {
    check(
        "id = \"plan-f1\"",
        "id = \"plan-f1",
        &[" | This is not TOML: invalid basic string, expected `\"`. Mend the line; \
             https://toml.io/en/v1.0.0 shows how values are written."],
    );
    check(
        "key = 1\nform = \"quick\"\nself = \"I agree",
        "key = = 1\nform = \"quick\"\nself = \"I agree",
        &[
            "= 1 | This is not TOML: extra `=`, expected nothing. Mend the line; \
             https://toml.io/en/v1.0.0 shows how values are written.",
            "1 | This is not TOML: unexpected key or value, expected newline, `#`. Mend the \
             line; https://toml.io/en/v1.0.0 shows how values are written.",
        ],
    );
    check(
        "[scales.amount] ",
        "[scales.frequency] ",
        &[
            "frequency]             # | This is not TOML: duplicate key. Mend the line; \
             https://toml.io/en/v1.0.0 shows how values are written.",
            "values = [-2, -1, 0, 1, | This is not TOML: duplicate key. Mend the line; \
             https://toml.io/en/v1.0.0 shows how values are written.",
            "labels = [\"Far less than | This is not TOML: duplicate key. Mend the line; \
             https://toml.io/en/v1.0.0 shows how values are written.",
        ],
    );
    check(
        "id = \"plan-f1\"\n",
        "id = \"plan-f1\"\nid = \"plan-f1\"\n",
        &["id = \"plan-f1\" | This is not TOML: duplicate key. Mend the line; \
             https://toml.io/en/v1.0.0 shows how values are written."],
    );
}

#[test]
fn unknown_and_missing_keys() {
    check(
        "facet = \"plan\"\nkey = 1",
        "facett = \"plan\"\nkey = 1",
        &[
            "[[items]] | `facet` is missing from [[items]] number 1. Add `facet = …` with a \
             text in quotes.",
            "facett = \"plan\" | `facett` is no key of [[items]] number 1. Did you mean \
             `facet`.",
        ],
    );
    check(
        "facet = \"plan\"\nkey = 1",
        "facet = \"plan\"\ncolour = \"red\"\nkey = 1",
        &["colour = \"red\" | `colour` is no key of [[items]] number 1. Take it out; the \
             keys here are `facet`, `form`, `id`, `key`, `rater`, `scale`, `self`."],
    );
    check(
        "rater = \"This person agrees the goals for a piece of work before it starts.\"\n",
        "",
        &["[[items]] | `rater` is missing from [[items]] number 1. Add `rater = …` with a \
             text in quotes."],
    );
    check(
        "[scoring.stop]",
        "[scoring.halt]",
        &[
            "[scoring] | `stop` is missing from [scoring]. Add `stop = …` with a table.",
            "halt] | `halt` is no key of [scoring]. Take it out; the keys here are \
             `approach_correlation_prior`, `model`, `provisional`, `rules`, `start_values`, \
             `stop`, `theta_prior`.",
        ],
    );
    check(
        "origin = \"project\"",
        "origins = \"project\"",
        &[
            "[instrument] | `origin` is missing from [instrument]. Add `origin = …` with a \
             text in quotes.",
            "origins = \"project\" | `origins` is no key of [instrument]. Did you mean \
             `origin`.",
        ],
    );
    check(
        "[[comments]]\nid = \"keep\"",
        "[[coments]]\nid = \"other\"\n[[comments]]\nid = \"keep\"",
        &["coments]] | `coments` is no key of the file. Did you mean `comments`."],
    );
    check(
        "[instrument]\n",
        "instruments = 3\n[instrument]\n",
        &["instruments = 3 | `instruments` is no key of the file. Did you mean \
             `instrument`."],
    );
}

#[test]
fn wrong_kinds_of_value() {
    check(
        "facet = \"plan\"\nkey = 1",
        "facet = 3\nkey = 1",
        &["3 | `facet` in [[items]] number 1 is a whole number. Write a text in quotes."],
    );
    check(
        "facet = \"plan\"\nkey = 1",
        "facet = \"plan\"\nkey = 2",
        &["2 | `key` is 2. Write 1 for a forward item, -1 for a reverse one."],
    );
    check(
        "facet = \"plan\"\nkey = 1",
        "facet = \"plan\"\nkey = \"1\"",
        &["\"1\" | `key` in [[items]] number 1 is a text. Write a whole number."],
    );
    check(
        "cues = [\"safety\", \"time_pressure\", \"known_procedure\"]",
        "cues = \"safety\"",
        &["\"safety\" | `cues` in [[scenarios]] number 1 is a text. Write a list of texts."],
    );
    check(
        "time_frame = \"the last three months\"",
        "time_frame = 1979-05-27",
        &["1979-05-27 | `time_frame` in [instrument] is a date. Write a text in quotes."],
    );
}

#[test]
fn names_of_nothing_1() {
    check(
        "form = \"quick\"\nself = \"I agree",
        "form = \"brief\"\nself = \"I agree",
        &["\"brief\" | There is no form \"brief\". Write \"quick\", \"standard\" or \
             \"full\"."],
    );
    check(
        "facet = \"plan\"\nkey = 1",
        "facet = \"planning\"\nkey = 1",
        &["\"planning\" | There is no facet \"planning\". Write \"authority\", \
             \"consistency\", \"coordinate\", \"empower\", \"innovate\", \"mentor\", \
             \"monitor\", \"plan\", \"trust\" or \"vision\"."],
    );
    check(
        "facet = \"plan\"\nkey = 1",
        "facet = \"plan\"\nscale = \"agreement\"\nkey = 1",
        &["\"agreement\" | There is no scale \"agreement\". Write \"frequency\", \
             \"preference\" or \"amount\"."],
    );
    check(
        "approach = \"management\"\nname = \"Planning",
        "approach = \"managing\"\nname = \"Planning",
        &["\"managing\" | \"managing\" is no `approach`. Write \"management\" or \
             \"leadership\"."],
    );
    check(
        "status = \"draft\" ",
        "status = \"done\" ",
        &["\"done\"            # draf | \"done\" is no `status`. Write \"draft\", \
             \"pilot\", \"calibrated\" or \"normed\"."],
    );
    check(
        "version = \"0.1.0\"",
        "version = \"0.1\"",
        &["\"0.1\" | \"0.1\" is no `version`. Write three numbers such as \"0.1.0\"."],
    );
    check(
        "language = \"en-GB\"",
        "language = \"English\"",
        &["\"English\" | \"English\" is no `language`. Write a language tag such as \
             \"en-GB\"."],
    );
    check(
        "approaches = [\"management\", \"leadership\"]",
        "approaches = [\"leadership\", \"management\"]",
        &["[\"leadership\", \"manageme | `approaches` of [instrument] holds other words \
             than it may. Write [\"management\", \"leadership\"]."],
    );
    check(
        "[scales.likely]",
        "[scales.probably]",
        &[
            "probably]             # | `labels` is missing from [scales.probably]. Add \
             `labels = …` with a list of texts.",
            "[\"most\", \"least\"] | `values` in [scales.probably] is a list that does not \
             fit. Write a list of whole numbers.",
        ],
    );
}

#[test]
fn names_of_nothing_2() {
    check(
        "values = [\"most\", \"least\"]",
        "values = [\"most\", \"worst\"]",
        &["[\"most\", \"worst\"] | `values` of [scales.likely] holds other words than it \
             may. Write [\"most\", \"least\"]."],
    );
    check(
        "[[scenarios.options]]\nid = \"s01a\"\napproach = \"order\"",
        "[[scenarios.options]]\nid = \"s01a\"\napproach = \"chaos\"",
        &["\"chaos\" | \"chaos\" is no `approach`. Write \"order\" or \"insight\"."],
    );
}

#[test]
fn ids_taken_or_malformed() {
    check(
        "id = \"plan-f2\"",
        "id = \"plan-f1\"",
        &["\"plan-f1\" | The id \"plan-f1\" of [[items]] number 2 is taken by [[items]] \
             number 1. Give it an id of its own."],
    );
    check(
        "id = \"plan-f2\"",
        "id = \"Plan f2\"",
        &["\"Plan f2\" | The id \"Plan f2\" is not made of small letters, digits, `-` and \
             `_`, beginning with a letter. Write a short id such as \"plan-f1\"."],
    );
    check(
        "id = \"p01\"",
        "id = \"plan-f1\"",
        &["\"plan-f1\" | The id \"plan-f1\" of [[pairs]] number 1 is taken by [[items]] \
             number 1. Give it an id of its own."],
    );
    check(
        "id = \"s02a\"",
        "id = \"s01a\"",
        &["\"s01a\" | The id \"s01a\" of option 1 of [[scenarios]] number 2 is taken by \
             option 1 of [[scenarios]] number 1. Give it an id of its own."],
    );
    check(
        "id = \"monitor\"",
        "id = \"plan\"",
        &["\"plan\" | The id \"plan\" of [[facets]] number 2 is taken by [[facets]] \
             number 1. Give it an id of its own."],
    );
    check(
        "[scales.frequency]",
        "[scales.\"How Often\"]",
        &["\"How Often\"]          # | The scale name \"How Often\" is not made of small \
             letters, digits, `-` and `_`, beginning with a letter. Write a short name such \
             as \"frequency\"."],
    );
}

#[test]
fn scales_that_do_not_hold_together() {
    check(
        "values = [1, 2, 3, 4, 5]",
        "values = [1, 2, 2, 4, 5]",
        &["2, 4, 5] | The values of scale \"frequency\" do not rise: 2 comes after 2. \
             Write them in order, the lowest first, each once."],
    );
    check(
        "values = [1, 2, 3, 4, 5]",
        "values = [1, 2, 3, 4]",
        &[
            "[\"Almost never\", \"Now an | `labels` of scale \"frequency\" has 5 entries \
             for 4 values. Give it 4, one for each value.",
            "[\"fewer than 1 chance in | `help` of scale \"frequency\" has 5 entries for 4 \
             values. Give it 4, one for each value.",
            "[0.05, 0.25, 0.5, 0.75, | `values_for_share` of scale \"frequency\" has 5 \
             entries for 4 values. Give it 4, one for each value.",
        ],
    );
    check(
        "values_for_share = [0.05, 0.25",
        "values_for_share = [0.25, 0.05",
        &["0.05, 0.5, 0.75, 0.95] | The shares do not rise: 0.05 comes after 0.25. Write \
             them in order, the lowest first, each once."],
    );
    check(
        "values_for_share = [0.05, 0.25, 0.5, 0.75, 0.95]",
        "values_for_share = [0.05, 0.25, 0.5, 0.75, 1.5]",
        &["1.5]    # middles of the | A share of chances is 1.5. Write a number from 0 to \
             1."],
    );
    check(
        "values_for_share = [0.05, 0.25",
        "values_for_share = [nan, 0.25",
        &["nan, 0.25, 0.5, 0.75, 0. | A share of chances is NaN. Write a number from 0 to \
             1."],
    );
    check(
        "values = [-2, -1, 1, 2]",
        "values = [1]\n",
        &["[1] | The scale \"preference\" has 1 values. Give it from 2 to 11."],
    );
}

#[test]
fn parameters_out_of_range_1() {
    check(
        "forward = { a = 1.3",
        "forward = { a = 0",
        &["0, b = [-2.4, -1.3, -0.1 | `a` is 0. Write a number above 0."],
    );
    check(
        "forward = { a = 1.3",
        "forward = { a = -1.3",
        &["-1.3, b = [-2.4, -1.3, - | `a` is -1.3. Write a number above 0."],
    );
    check(
        "forward = { a = 1.3",
        "forward = { a = inf",
        &["inf, b = [-2.4, -1.3, -0 | `a` is inf. Write a number above 0."],
    );
    check(
        "b = [-2.4, -1.3, -0.1, 1.3]",
        "b = [-2.4, -0.1, -1.3, 1.3]",
        &["-1.3, 1.3] } | The thresholds do not rise: -1.3 comes after -0.1. Write them \
             in order, the lowest first, each once."],
    );
    check(
        "b = [-2.4, -1.3, -0.1, 1.3]",
        "b = [-2.4, -1.3, nan, 1.3]",
        &["nan, 1.3] } | A threshold is NaN. Write a number from -10 to 10."],
    );
    check(
        "b = [-2.4, -1.3, -0.1, 1.3]",
        "b = [-2.4, -1.3, -0.1]",
        &["{ a = 1.3, b = [-2.4, -1 | `b` has 3 thresholds for 5 answers. Write 4, one \
             fewer than answers."],
    );
    check(
        "approach_correlation_prior = 0.5",
        "approach_correlation_prior = 1.0",
        &["1.0 # self form; expect | `approach_correlation_prior` is 1. Write a \
             correlation between -1 and 1, ends excluded."],
    );
    check(
        "approach_correlation_prior = 0.5",
        "approach_correlation_prior = nan",
        &["nan # self form; expect | `approach_correlation_prior` is NaN. Write a \
             correlation between -1 and 1, ends excluded."],
    );
    check("sd = 1.0", "sd = 0.0", &["0.0 } | `sd` is 0. Write a number above 0."]);
}

#[test]
fn parameters_out_of_range_2() {
    check(
        "provisional = true",
        "provisional = false",
        &["[scoring] | `provisional` is false while the status is \"draft\". Write \
             `provisional = true` until a calibration exists."],
    );
    check(
        "b = [-2.6, -1.5, -0.4, 1.0]",
        "b = []",
        &["[] } | `b` is empty. Write one threshold fewer than the scale has values."],
    );
}

#[test]
fn limits_out_of_range() {
    check(
        "max_items_per_approach = 14",
        "max_items_per_approach = 5",
        &["5 | `max_items_per_approach` is 5, below the minimum. Write 6 or more."],
    );
    check(
        "min_raters_per_group = 3",
        "min_raters_per_group = 2",
        &["2 | `min_raters_per_group` is 2. Write a number from 3 to 100."],
    );
    check(
        "page_size = 5",
        "page_size = 0",
        &["0 | `page_size` is 0. Write a number from 1 to 50."],
    );
    check(
        "min_answered_per_approach = 8",
        "min_answered_per_approach = 11",
        &[
            "11 | Form \"quick\" wants 11 answers on management and asks 10. Write a \
             smaller number, or a share such as 0.8.",
            "11 | Form \"quick\" wants 11 answers on leadership and asks 10. Write a \
             smaller number, or a share such as 0.8.",
        ],
    );
    check(
        "min_answered_per_approach = 0.8",
        "min_answered_per_approach = 1.2",
        &["1.2 | `min_answered_per_approach` is out of range. Write a whole number of \
             answers, 1 or more, or a share such as 0.8."],
    );
    check(
        "min_answered_per_approach = 8",
        "min_answered_per_approach = \"most\"",
        &["\"most\" | `min_answered_per_approach` in [[forms]] number 1 is a text. Write \
             a whole number of answers, or a share such as 0.8."],
    );
    check(
        "answer = 3",
        "answer = 6",
        &["6 | The answer 6 is not on scale \"frequency\". Write one of 1, 2, 3, 4, 5."],
    );
    check(
        "strength = 2",
        "strength = 9223372036854775808",
        &["9223372036854775808 | `strength` in option 1 of [[scenarios]] number 1 is a \
             number too large to read. Write a whole number."],
    );
    check(
        "region_named_when_probability_at_least = 0.70",
        "region_named_when_probability_at_least = 0.40",
        &["0.40 | `region_named_when_probability_at_least` is 0.4. Write a probability \
             above 0.5 and at most 1, so that two regions never both have it."],
    );
}

#[test]
fn unbalanced_keys_and_forms_that_do_not_nest_1() {
    check(
        "id = \"plan-r1\"\nfacet = \"plan\"\nkey = -1",
        "id = \"plan-r1\"\nfacet = \"plan\"\nkey = 1",
        &[
            "[[facets]] | Form \"quick\" has 2 forward and 0 reverse items of facet \
             \"plan\". Even them out, or saying yes to all counts as a score.",
            "[[facets]] | Form \"standard\" has 3 forward and 1 reverse items of facet \
             \"plan\". Even them out, or saying yes to all counts as a score.",
            "[[facets]] | Form \"full\" has 4 forward and 2 reverse items of facet \
             \"plan\". Even them out, or saying yes to all counts as a score.",
        ],
    );
    check(
        "id = \"plan-r1\"\nfacet = \"plan\"\nkey = -1\nform = \"quick\"",
        "id = \"plan-r1\"\nfacet = \"plan\"\nkey = -1\nform = \"standard\"",
        &["[[facets]] | Form \"quick\" has 1 forward and 0 reverse items of facet \
             \"plan\". Even them out, or saying yes to all counts as a score."],
    );
    check(
        "  { kind = \"pair\", served = false },\n  { kind = \"amount\", served = false },\n]",
        "  { kind = \"amount\", served = false },\n]",
        &["[[forms]] | Form \"standard\" has no \"pair\" block, which \"quick\" has. Add \
             it: a longer form holds all of a shorter one."],
    );
    check(
        "blocks = [\n  { kind = \"rating\", served = true },\n  { kind = \"pair\", served = \
        false },\n]",
        "blocks = [\n  { kind = \"rating\", served = true },\n]",
        &["[[pairs]] | p01 is put in form \"quick\", which has no block of kind \"pair\". \
             Add the block to the form, or move the item."],
    );
    check(
        "  { kind = \"check\", served = false },\n",
        "",
        &["[[checks]] | check-1 can be in no form: none has a block of kind \"check\". \
             Add the block to the form, or move the item."],
    );
    check(
        "  { kind = \"check\", served = false },\n",
        "  { kind = \"check\", served = false },\n  { kind = \"check\", served = true },\n",
        &["\"check\", served = true } | [[forms]] number 3 has two blocks of kind \
             \"check\". Name each kind once."],
    );
    check(
        "  { kind = \"check\", served = false },\n",
        "  { kind = \"riddle\", served = false },\n",
        &["\"riddle\", served = false | \"riddle\" is no `kind`. Write \"rating\", \
             \"pair\", \"scenario\", \"amount\", \"outcome\", \"comment\" or \"check\"."],
    );
    check(
        "reports_facets = false      # facets",
        "reports_facets = true       # facets",
        &["true       # facets need | Form \"quick\" reports facets, with 2 items of \
             \"plan\". Write `reports_facets = false`, or ask 6 or more."],
    );
    check(
        "id = \"standard\"\nname",
        "id = \"quick\"\nname",
        &["\"quick\" | The id \"quick\" of [[forms]] number 2 is taken by [[forms]] \
             number 1. Give it an id of its own."],
    );
}

#[test]
fn unbalanced_keys_and_forms_that_do_not_nest_2() {
    check(
        "min_answered_per_approach = 0.8",
        "min_answered_per_approach = 0",
        &["0 | `min_answered_per_approach` is out of range. Write a whole number of \
             answers, 1 or more, or a share such as 0.8."],
    );
    check(
        "[[forms]]\nid = \"standard\"",
        "[[forms]]\nid = \"brisk\"\nname = \"Brisk\"\nminutes_max = 5\npage_size = \
        5\nmin_answered_per_approach = 8\nreports_facets = false\nblocks = [{ kind = \
        \"rating\", served = false }, { kind = \"pair\", served = false }]\n\n[[forms]]\nid \
        = \"standard\"",
        &["[[forms]] | Form \"brisk\" adds no item to \"quick\". Take it out, or put it \
             before the form that is longer."],
    );
}

#[test]
fn unbalanced_pairs() {
    check(
        "management = { facet = \"plan\", self = \"I map",
        "management = { facet = \"vision\", self = \"I map",
        &["\"vision\", self = \"I map | The management side has the leadership facet \
             \"vision\". Name a facet of management, or swap the sides."],
    );
    check(
        "management = { facet = \"plan\", self = \"I line",
        "management = { facet = \"monitor\", self = \"I line",
        &[
            "[[pairs]] | Facet \"monitor\" is in 5 pairs, \"plan\" in 3. Put every facet in \
             equally many.",
            "[[pairs]] | p06 sets monitor against empower again, as p02 does. Pair other \
             facets.",
        ],
    );
    check(
        "leadership = { facet = \"empower\", self = \"I let people find",
        "leadership = { facet = \"mentor\", self = \"I let people find",
        &[
            "[[pairs]] | Facet \"mentor\" is in 5 pairs, \"empower\" in 3. Put every facet \
             in equally many.",
            "[[pairs]] | p02 sets plan against mentor again, as p01 does. Pair other facets.",
        ],
    );
}

#[test]
fn scenarios_that_give_the_answer_away() {
    check(
        "fit = 3\ntext = \"Clear the area",
        "fit = 2\ntext = \"Clear the area",
        &["[[scenarios]] | The fits of s01 are not 0 to 3 once each. Give the worst \
             option 0 and each better one 1 more."],
    );
    check(
        "demand = \"order\"\ntitle = \"Warehouse",
        "demand = \"insight\"\ntitle = \"Warehouse",
        &[
            "[[scenarios]] | The best option of s01 is not of the approach it calls for. \
             Change `demand`, or the fits.",
            "[[scenarios]] | 5 of 12 scenarios call for order. Let half call for order and \
             half for insight.",
        ],
    );
    check(
        "approach = \"order\"\nstrength = 1\nfit = 2\ntext = \"Ask the person",
        "approach = \"insight\"\nstrength = 1\nfit = 2\ntext = \"Ask the person",
        &["[[scenarios]] | Of the 4 options of s01, order has 1. Give it as many of order \
             as of insight."],
    );
    check(
        "text = \"Clear the area now, start the spill procedure and name who does what.\"",
        "text = \"Clear the area now.\"",
        &["[[scenarios]] | The options of s01 have from 19 to 84 characters. Keep the \
             longest within one and a half times the shortest."],
    );
}

#[test]
fn maps_with_gaps_and_overlaps() {
    check(
        "leadership = { below = 0.0 }\nsays = \"People know what",
        "leadership = { below = 0.5 }\nsays = \"People know what",
        &["[[map.regions]] | Region \"mostly-order\" ends at 0.5 in leadership, where no \
             cut is. End it at a cut of that axis: [0.0]."],
    );
    check(
        "leadership = { below = 0.0 }\nsays = \"People know what",
        "leadership = { }\nsays = \"People know what",
        &["[[map.regions]] | Regions \"mostly-order\" and \"both-often\" overlap around \
             managing 1, leading 1. End one where the other begins."],
    );
    check(
        "management = { below = 0.0 }\nleadership = { from",
        "management = { below = 0.0, from = 0.0 }\nleadership = { from",
        &["{ below = 0.0, from = 0. | `management` begins at 0 and ends at 0. Write \
             `from` below `below`, or leave one of them out."],
    );
    check(
        "[map.y]\napproach = \"leadership\"",
        "[map.y]\napproach = \"management\"",
        &["[map.y] | Both axes of the map show management. Write `approach = \
             \"leadership\"`."],
    );
    check(
        "cuts = [0.0]",
        "cuts = [0.0, 0.0]",
        &["[0.0, 0.0] | `cuts` do not rise. Write them in order, the lowest first, each \
             once."],
    );
    check(
        "cuts = [0.0]",
        "cuts = [0.0, 1.0]",
        &["[map.x] | No region ends at the cut 1 in management. Take the cut out, or end \
             regions there."],
    );
    check(
        "leadership = { from = 0.0 }\nsays = \"People know why",
        "leadership = { from = 0.0, to = 1.0 }\nsays = \"People know why",
        &["to = 1.0 } | `to` is no key of `leadership` of [[map.regions]] number 2. Take \
             it out; the keys here are `below`, `from`."],
    );
}

#[test]
fn bands_and_regions_1() {
    check(
        "at_least = 0.90",
        "at_least = 0.60",
        &["0.70 | `at_least` is 0.7, no lower than the band above. Write the bands in \
             order, the surest first."],
    );
    check(
        "at_least = 0.70\nwords",
        "at_least = 0.75\nwords",
        &["[[map.bands]] | The lowest band begins at 0.75, and regions are named from \
             0.7. Write `at_least = 0.7`."],
    );
    check(
        "facets = [\"vision\", \"innovate\"]",
        "facets = [\"vision\", \"ideas\"]",
        &["\"ideas\"] | There is no facet \"ideas\". Write \"authority\", \
             \"consistency\", \"coordinate\", \"empower\", \"innovate\", \"mentor\", \
             \"monitor\", \"plan\", \"trust\" or \"vision\"."],
    );
    check(
        "facets = [\"vision\", \"innovate\"]",
        "facets = []",
        &["[] | `facets` is empty. Name at least one facet to begin with."],
    );
    check(
        "choose = \"lowest\"",
        "choose = \"best\"",
        &["\"best\" | \"best\" is no `choose`. Write \"lowest\" or \"highest\"."],
    );
    check(
        "name = \"Between {first} and {second}\"",
        "name = \"Between two\"",
        &[
            "\"Between two\" | The name between two regions does not hold `{first}` once. \
             Write \"Between {first} and {second}\".",
            "\"Between two\" | The name between two regions does not hold `{second}` once. \
             Write \"Between {first} and {second}\".",
        ],
    );
    check(
        "id = \"both-often\"",
        "id = \"mostly-order\"",
        &["\"mostly-order\" | The id \"mostly-order\" of [[map.regions]] number 3 is \
             taken by [[map.regions]] number 1. Give it an id of its own."],
    );
    check(
        "ellipse = 0.90",
        "ellipse = 90",
        &["90              # share | `ellipse` is 90. Write a share above 0 and below 1."],
    );
    check(
        "says = \"People know what to do and by when.\"",
        "says = \"You are a natural at this.\"",
        &["\"You are a natural at th | map.regions.mostly-order.says tells of nature or \
             flatters: \"natural\". Name a behaviour that others could see."],
    );
}

#[test]
fn bands_and_regions_2() {
    check(
        "  \"You end the team meeting with who does what, and by when.\",\n",
        "  \"You end it.\", \"You end it.\", \"You end it.\", \"You end it.\",\n",
        &["[ | `tuesday` has 6 lines. Write from 1 to 5 short behaviours."],
    );
}

#[test]
fn hidden_empty_and_overlong_texts() {
    check(
        "self = \"I agree the goals for a piece of work before it starts.\"",
        "self = \"\"",
        &["\"\" | items.plan-f1.self is empty. Write the text, or take the whole entry \
             out."],
    );
    check(
        "self = \"I agree the goals for a piece of work before it starts.\"",
        "self = \"   \"",
        &["\"   \" | items.plan-f1.self is empty. Write the text, or take the whole entry \
             out."],
    );
    check(
        "self = \"I agree the goals for",
        "self = \"I agree the\\u0000 goals for",
        &["\"I agree the\\u0000 goals | items.plan-f1.self holds the hidden character \
             U+0000. Take it out; a text is one line of visible characters."],
    );
    check(
        "self = \"I agree the goals for",
        "self = \"I agree the\\u202e goals for",
        &["\"I agree the\\u202e goals | items.plan-f1.self holds the hidden character \
             U+202E. Take it out; a text is one line of visible characters."],
    );
    check(
        "self = \"I agree the goals for",
        "self = \"I agree the  goals for",
        &["\"I agree the  goals for | items.plan-f1.self has spaces at an end, or two in \
             a row. Leave one space between words and none at the ends."],
    );
    check(
        "\"Almost never\", ",
        "\"Almost never or as good as never, in all of the chances that came along during \
        that stretch of time\", ",
        &["\"Almost never or as good | scales.frequency.labels.1 has 99 characters. Say \
             it in 80 or fewer."],
    );
    check(
        "name = \"Planning and organising\"",
        "name = \"Planning\\nand organising\"",
        &["\"Planning\\nand organisin | facets.plan.name holds the hidden character \
             U+000A. Take it out; a text is one line of visible characters."],
    );
    check(
        "action = \"For your next job of more than a week",
        "action = \"Plan it well. Plan it well. Plan it well. Plan it well. Plan it well. \
        Plan it well. Plan it well. Plan it well. Plan it well. Plan it well. Plan it well. \
        Plan it well. Plan it well. Plan it well. Plan it well. Plan it well. Plan it well. \
        Plan it well. Plan it well. Plan it well. Plan it well. Plan it well. Plan it well. \
        Plan it well. Plan it well. Plan it well. Plan it well. Plan it well. Plan it well. \
        Plan it well. Plan it well. For your next job of more than a week",
        &["\"Plan it well. Plan it w | facets.plan.action has 593 characters. Say it in \
             400 or fewer."],
    );
    check(
        "labels = [\"Almost never\"",
        "labels = [\"\"",
        &["\"\", \"Now and then\", \"Abo | scales.frequency.labels.1 is empty. Write the \
             text, or take the whole entry out."],
    );
}

#[test]
fn words_that_do_not_belong_1() {
    check(
        "self = \"I agree the goals for",
        "self = \"I agree the goals of his team for",
        &["\"I agree the goals of hi | items.plan-f1.self holds the gendered word \
             \"his\". Write \"they\", \"people\", or the role itself."],
    );
    check(
        "self = \"I agree the goals for",
        "self = \"I agree the chairman's goals for",
        &["\"I agree the chairman's | items.plan-f1.self holds the gendered word \
             \"chairman's\". Write \"they\", \"people\", or the role itself."],
    );
    check(
        "self = \"I agree the goals for",
        "self = \"I usually agree the goals for",
        &["\"I usually agree the goa | items.plan-f1.self says how often (\"usually\"), \
             and so does its answer. Take the word out; the answer says how often."],
    );
    check(
        "self = \"I start work before",
        "self = \"I don't start work before",
        &["\"I don't start work befo | items.plan-r1.self is a reverse item with a \
             negation: \"don't\". Describe the lapse as something a person does."],
    );
    check(
        "rater = \"This person starts work before",
        "rater = \"This person never starts work before",
        &["\"This person never start | items.plan-r1.rater is a reverse item with a \
             negation: \"never\". Describe the lapse as something a person does."],
    );
    check(
        "self = \"I start work before",
        "self = \"I do not start work before",
        &["\"I do not start work bef | items.plan-r1.self is a reverse item with a \
             negation: \"not\". Describe the lapse as something a person does."],
    );
    check(
        "self = \"I agree the goals for a piece of work before it starts.\"",
        "self = \"I operationalise organisational objectives collaboratively beforehand.\"",
        &["\"I operationalise organi | items.plan-f1.self has reading grade 37.9. Use \
             shorter words or sentences, down to grade 9."],
    );
    check(
        "self = \"I agree the goals for",
        "self = \"This person agrees the goals for",
        &["\"This person agrees the | items.plan-f1.self speaks of \"this person\". Write \
             it in the first person, with \"I\"."],
    );
    check(
        "rater = \"This person agrees the goals for",
        "rater = \"I agree the goals for",
        &["\"I agree the goals for a | items.plan-f1.rater speaks in the first person: \
             \"I\". Begin with \"This person\"."],
    );
}

#[test]
fn words_that_do_not_belong_2() {
    check(
        "self = \"I break big jobs into clear steps with dates.\"",
        "self = \"I agree the goals for a piece of work before it starts.\"",
        &["\"I agree the goals for a | items.plan-f2.self says the same as \
             items.plan-f1.self. Describe another behaviour."],
    );
    check(
        "definition = \"Sets out goals",
        "definition = \"Runs a tribe, sets out goals",
        &["\"Runs a tribe, sets out | facets.plan.definition holds the word \"tribe\", \
             which can hurt or put off. Say plainly what happens, without the picture."],
    );
    check(
        "too_little = \"Problems come as a surprise.\"",
        "too_little = \"He gets it wrong.\"",
        &["\"He gets it wrong.\" | facets.monitor.too_little holds the gendered word \
             \"He\". Write \"they\", \"people\", or the role itself."],
    );
}

#[test]
fn habits_of_choosing_that_would_win() {
    let longer = STARTER
        .replacen("test two of them next week.", "test two of them early next week.", 1)
        .replacen("write down who does what.", "write down who is to do what.", 1)
        .replacen("per step and check daily.", "per step and check it daily.", 1)
        .replacen("and report to the rest.", "and then report to the rest.", 1);
    check_text(
        &longer,
        &["[[scenarios]] | The best option is the longest in 8 of 12 scenarios. \
                           Shorten best options until it is so in half or fewer."],
    );
    check_text(
        &STARTER.replace("strength = 1\nfit = 3", "strength = 2\nfit = 3"),
        &["[[scenarios]] | The strong option is best in 12 of 12 scenarios. Let it be best in a \
         third to two thirds, so that no habit of choosing wins."],
    );
}

#[test]
fn blocks_need_items() {
    let old = "blocks = [{ kind = \"rating\", served = true }]";
    let new = "blocks = [{ kind = \"rating\", served = true }, \
               { kind = \"pair\", served = true }]";
    check_in(
        SMALL,
        old,
        new,
        &[
            "{ kind = \"pair\", served | Form \"only\" has a block of kind \"pair\", and the file has no \
         such item. Take it out.",
        ],
    );
}

#[test]
fn all_faults_come_at_once_in_the_order_of_the_file() {
    let broken = STARTER
        .replacen("approach_correlation_prior = 0.5", "approach_correlation_prior = 2", 1)
        .replacen("facet = \"plan\"\nkey = 1", "facet = \"plam\"\nkey = 1", 1)
        .replacen("self = \"I lose track", "self = \"I never keep track", 1)
        .replacen("status = \"draft\"", "status = \"drafted\"", 1);
    check_text(
        &broken,
        &[
            "\"drafted\"            # d | \"drafted\" is no `status`. Write \"draft\", \"pilot\", \
         \"calibrated\" or \"normed\".",
            "\"plam\" | There is no facet \"plam\". Write \"authority\", \"consistency\", \
         \"coordinate\", \"empower\", \"innovate\", \"mentor\", \"monitor\", \"plan\", \"trust\" or \
         \"vision\".",
            "\"I never keep track of j | items.monitor-r2.self is a reverse item with a negation: \
         \"never\". Describe the lapse as something a person does.",
            "2 # self form; expect .6 | `approach_correlation_prior` is 2. Write a correlation between \
         -1 and 1, ends excluded.",
        ],
    );
}

#[test]
fn an_empty_file_is_told_what_a_file_has() {
    let faults = Instrument::parse("", "f").expect_err("empty");
    let missing = ["instrument", "scales", "facets", "forms", "scoring", "items", "map"];
    let expected = missing.map(|key| {
        let kind = if ["facets", "forms", "items"].contains(&key) {
            "one or more tables"
        } else {
            "a table"
        };
        format!(" | `{key}` is missing from the file. Add `{key} = …` with {kind}.")
    });
    assert_eq!(pointed("", &faults), expected);
}

#[test]
fn the_report_lists_faults_and_counts_them() {
    let broken = SMALL.replacen("Rest.", "", 1);
    let report = report_check(&broken, "mine.toml");
    assert!(!report.is_sound());
    let line = 1 + broken.lines().position(|line| line == "first_step = \"\"").expect("there");
    let expected = format!(
        "mine.toml:{line}:14: map.regions.low.first_step is empty. Write the text, or take the \
         whole entry out.\n1 fault\n"
    );
    assert_eq!(report.to_string(), expected);
}
