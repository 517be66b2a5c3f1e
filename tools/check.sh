run_check() { die "later"; }
