# R mirt on the bench's data: processor seconds of its calibration and EAP.
# Usage: Rscript mirt.R calibrate DATA.csv ESTIMATES.csv. Prints lines `WHAT SECONDS`; estimates are
# written as slope, d1, d2, ... a line an item.
suppressMessages(library(mirt))
given <- commandArgs(trailingOnly = TRUE)
if (given[1] != "calibrate") quit(status = 1)
timed <- function(what, work) {
  spent <- system.time(result <- work())
  cat(what, spent[["user.self"]] + spent[["sys.self"]], "\n")
  result
}
answers <- read.csv(given[2])
fit <- timed("calibrate", function() mirt(answers, 1, "graded", verbose = FALSE))
found <- coef(fit, simplify = TRUE)$items
write.table(format(found, digits = 17), given[3], sep = ",", quote = FALSE,
            row.names = FALSE, col.names = FALSE)
for (round in 1:3) {
  invisible(timed("eap", function() fscores(fit, method = "EAP", quadpts = 61)))
}
