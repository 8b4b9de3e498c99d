import { execFileSync } from 'node:child_process';
import type { PageData } from '../../../src/report/html/chart.ts';

/** A page as python's own HTML parser reads it. */
export interface ParsedPage {
  tags: [tag: string, attributes: Record<string, string | null>][];
  /** Text outside of scripts and styles. */
  text: string;
  /** Elements that were not closed. */
  open: string[];
  /** What the page's script reads. */
  data: PageData;
}

const PROGRAM = `
import sys, json
from html.parser import HTMLParser
VOID = ('meta', 'input', 'br')
class P(HTMLParser):
    def __init__(self):
        super().__init__(); self.tags = []; self.text = []; self.open = []; self.data = []
    def handle_starttag(self, tag, attrs):
        self.tags.append([tag, dict(attrs)])
        if tag not in VOID: self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
    def handle_data(self, data):
        if self.open and self.open[-1] == 'script':
            if ['script', {'type': 'application/json', 'id': 'data'}] == self.tags[-1]: self.data.append(data)
        elif not self.open or self.open[-1] != 'style': self.text.append(data)
p = P(); p.feed(sys.stdin.read()); p.close()
print(json.dumps({'tags': p.tags, 'text': ''.join(p.text), 'open': p.open, 'data': json.loads(''.join(p.data))}))`;

export function parsePage(page: string): ParsedPage {
  const output = execFileSync('python3', ['-c', PROGRAM], { input: page, encoding: 'utf8', maxBuffer: 1e8 });
  return JSON.parse(output);
}
