// For this repository alone: lets the examples import "siru" from the sources, as others do from the package.
import { registerHooks } from 'node:module';

const sources = new URL('../src/index.ts', import.meta.url).href;
registerHooks({ resolve: (specifier, context, next) => next(specifier === 'siru' ? sources : specifier, context) });
