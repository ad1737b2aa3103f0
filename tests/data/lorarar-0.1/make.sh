#!/bin/sh -e
# make.sh CODE PYTHON: this folder's contents anew, by the code of commit f806d89 in the folder CODE.
CODE=$1 PYTHON=$2
cd "$(dirname "$0")"
export PYTHONPATH="$CODE" LORARAR_DB=lorarar.db
LORARAR="$PYTHON -m lorarar"
rm -rf loras first second single expected lorarar.db*
mkdir -p expected
"$PYTHON" make_loras.py "$CODE/lorarar/pocket/weights" loras
$LORARAR bench run first.toml -o first
$LORARAR bench run second.toml -o second
$LORARAR merge loras/contents/cat-2.safetensors loras/styles/glowing.safetensors -o single/merged.safetensors
$LORARAR generate --lora single/merged.safetensors --prompt "a sks cat in glowing style" -n 1 --steps 4 -o single
rm single/merged.safetensors
$LORARAR judge run
$LORARAR judge check --sample 1 --images plan=second > /dev/null
$LORARAR study new pref --kind ab --methods direct,lorarar --plan first --items 4 --repeats 1
$LORARAR study new labels --kind absolute --methods direct,lorarar --plan first --items 8 --repeats 1
for study in pref labels; do $LORARAR study simulate $study --raters 4 --noise 0.5; done
"$PYTHON" vote.py lorarar.db pref left,right,left,similar ANNA BERT CLEO GONE
"$PYTHON" vote.py lorarar.db labels both,subject,both,neither,style ANNA BERT CLEO
$LORARAR study delete-rater pref GONE
for plan in first second; do
  for format in json csv; do
    $LORARAR judge report --images plan=$plan --format $format > expected/report-$plan.$format
    $LORARAR judge report --images plan=$plan --by cell --format $format > expected/report-$plan-cell.$format
  done
done
$LORARAR judge report --images plan=first --against direct --format json > expected/report-first-against.json
for study in pref labels; do $LORARAR study report $study --format json > expected/study-$study.json; done
$LORARAR study report pref --simulated --format json > expected/study-pref-simulated.json
$LORARAR study list --json > expected/studies.json
"$PYTHON" -c "import sqlite3; database = sqlite3.connect('lorarar.db'); database.execute('VACUUM'); database.close()"
rm -rf first/loras second/loras
xz -9e lorarar.db
