/** English words that carry no topic: a key phrase ends where one of them stands. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  `a about above across after again against all almost alone along already also although always am among an and another
  any anybody anyone anything are aren't around as ask at away back be became because become been before behind being
  below best better between beyond both but by call called came can can't cannot case certain clear come comes could
  couldn't day did didn't different do does doesn't doing don't done down each either else end ends enough even ever
  every everybody everyone everything exactly far few find first for four from full further gave general get gets give
  given gives go goes going good got great had has hasn't have haven't having he her here hers herself him himself his
  how however i if important in instead into is isn't it it's its itself just keep keeps kept kind knew know known knows
  large last later least left less let like likely long longer look made make makes making man many may maybe me mean
  means meant member might mine more most mostly much must my myself near necessary need needs never new next no nobody
  non none nor not nothing now nowhere of off often old on once one ones only onto open or order other others otherwise
  our ours ourselves out over own part per perhaps place point possible present put quite rather really right said same
  saw say says second see seem seemed seems seen several shall she should shouldn't show shown shows side since small so
  some somebody someone something sometimes somewhere still such take taken takes tell than that that's the their theirs
  them themselves then there there's therefore these they thing things think third this those though three through thus
  to today together too toward two under until up upon us use used uses using usually very via want wants was wasn't way
  we well went were weren't what whatever when where whether which while who whole whose why will with within without
  won't work works would wouldn't year yes yet you your yours yourself code etc e.g i.e vs cf`
    .split(/\s+/)
    .filter((word) => word !== ""),
);
