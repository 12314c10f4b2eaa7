/** What a page gives; pages.ts puts the layout around it. */
import type { Html } from './html.ts';
import type { Place } from './place.ts';

export interface Page {
  title: string;
  content: Html;
  place?: Place;
  status?: number;
  headers?: Record<string, string>;
}
